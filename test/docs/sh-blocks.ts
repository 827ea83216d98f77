/**
 * Runs the examples of a page as they stand: every fenced block that begins with ```sh test, one after the other in one bash, in a fresh directory in
 * which `dist` is the built program and `diad` means it. A ```text block right behind one is what it must print: `[..]` stands for anything within a line, a line with
 * `...` for any lines. A block that begins with ```sh test if TOOL … runs where these tools are, and is skipped with a word elsewhere.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Block {
  /** of the first line of the block in the page, from 1 */
  readonly line: number
  readonly script: string
  /** what it must print, if the page says so */
  readonly expected: string | undefined
}

const IF = 'sh test if '

function toolsFor (block: string, tools: readonly string[]): boolean {
  const missing = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
  if (missing.length > 0) console.log(`skipped: the block at ${block} needs ${missing.join(', ')}`)
  return missing.length === 0
}

export function shBlocks (page: string): Block[] {
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n')
  const blocks: Block[] = []
  let open: { info: string, line: number, text: string[] } | undefined
  /** the last sh block, as long as nothing but empty lines came after it */
  let waiting: number | undefined
  lines.forEach((text, i) => {
    if (open === undefined) {
      if (text.startsWith('```')) open = { info: text.slice(3).trim(), line: i + 2, text: [] }
      else if (text.trim() !== '') waiting = undefined
    } else if (text === '```') {
      const { info, line } = open
      const body = open.text.join('\n') + '\n'
      if (info === 'sh test' || (info.startsWith(IF) && toolsFor(`${page}:${line}`, info.slice(IF.length).split(' ')))) {
        waiting = blocks.length
        blocks.push({ line, script: body, expected: undefined })
      } else if (info === 'text' && waiting !== undefined) {
        blocks[waiting] = { ...blocks[waiting] as Block, expected: body }
        waiting = undefined
      } else {
        waiting = undefined
      }
      open = undefined
    } else {
      open.text.push(text)
    }
  })
  if (open !== undefined) throw new Error(`${page}: the block at line ${open.line} isn't closed`)
  return blocks
}

/** What `expected` means, anchored at both ends. */
export function pattern (expected: string): RegExp {
  const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const lines = expected.trimEnd().split('\n').map((line) => line === '...' ? '(?:.*\\n)*?' : line.split('[..]').map(escaped).join('.*') + '\\n')
  return new RegExp(`^${lines.join('')}$`)
}

export interface Ran {
  /** 0 when every command did what it should */
  readonly exit: number | null
  /** what each block printed, as far as it got */
  readonly printed: string[]
  readonly stderr: string
}

/** Ends whatever the blocks left running. Rejects after `seconds`. */
export async function runBlocks (blocks: readonly Block[], seconds: number): Promise<Ran> {
  const built = join(ROOT, 'dist')
  if (!existsSync(join(built, 'src/cli/main.js'))) throw new Error('dist/ is missing: run `npm run build` first (npm test does)')
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'diad-docs-')))
  // Lane markers need a memory file system, and ours shall not stay there.
  const memory = process.platform === 'linux' && existsSync('/dev/shm') ? mkdtempSync('/dev/shm/diad-docs-') : root
  const mark = `=== end of block ${Math.random()}`
  symlinkSync(built, join(root, 'dist'))
  writeFileSync(join(root, 'page.sh'), ['set -e', 'shopt -s expand_aliases', 'alias diad="node $PWD/dist/src/cli/main.js"', ...blocks.map((b) => `${b.script}echo '${mark}'\n`)].join('\n'))
  // A group of its own, so that nodes in the background can be ended with it, and only they.
  const child = spawn('bash', ['page.sh'], { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: root, TMPDIR: root, DIAD_HOME: '', DIAD_RUNTIME_DIR: memory, FORCE_COLOR: '', NO_COLOR: '1' } })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  let late = false
  const endGroup = (): void => {
    try {
      process.kill(-(child.pid as number), 'SIGKILL')
    } catch { /* nobody is left */ }
  }
  const timer = setTimeout(() => {
    late = true
    endGroup()
  }, seconds * 1000)
  try {
    // Not `close`: a node that a failed page leaves in the background holds the pipes open.
    const exit = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('exit', resolve))
    endGroup()
    await new Promise<void>((resolve) => {
      if (child.stdout.closed && child.stderr.closed) resolve()
      else child.on('close', () => { resolve() })
    })
    const printed = stdout.split(`${mark}\n`)
    if (late) throw new Error(`not done after ${seconds} s, in the block at line ${blocks[printed.length - 1]?.line ?? '?'}\n${printed.at(-1) ?? ''}\n${stderr}`)
    return { exit, printed, stderr }
  } finally {
    clearTimeout(timer)
    for (const folder of new Set([root, memory])) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
