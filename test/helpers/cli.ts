/**
 * The built CLI as real processes on loopback. What is waited for are events and exits, never time. `Stage.close()` leaves no process and no file
 * behind; it kills only what it started.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))
const LOOPBACK = '/ip4/127.0.0.1/tcp/0'
/** How long one event may take before a test says what it waited for. */
const PATIENCE_MS = 45_000

export interface Ended {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Event {
  readonly event: string
  readonly [key: string]: unknown
}

/** One directory for all homes of a test file, and the processes that work in it. */
export class Stage {
  readonly root: string
  readonly #memory: string
  readonly #children = new Set<ChildProcess>()

  constructor () {
    if (!existsSync(MAIN)) throw new Error('there is no dist/src/cli/main.js: run `npm run build` first')
    this.root = realpathSync(mkdtempSync(join(tmpdir(), 'diad-e2e-')))
    // Lane markers need a memory file system; ours shall not stay in the user's.
    this.#memory = process.platform === 'linux' && existsSync('/dev/shm') ? mkdtempSync('/dev/shm/diad-e2e-') : this.root
  }

  path (...parts: string[]): string {
    return join(this.root, ...parts)
  }

  /** Starts `diad` with these words as they are. */
  spawn (words: readonly string[]): ChildProcess {
    const env = { ...process.env, DIAD_RUNTIME_DIR: this.#memory, NO_COLOR: '1', DIAD_DEBUG: '' }
    const child = spawn(process.execPath, [MAIN, ...words], { cwd: this.root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#children.add(child)
    child.once('close', () => this.#children.delete(child))
    // Also when this process ends without its hooks: no node may outlive the tests.
    const end = (): void => { child.kill('SIGKILL') }
    process.once('exit', end)
    child.once('close', () => process.off('exit', end))
    return child
  }

  /** Runs `diad` to its end. */
  async run (...words: string[]): Promise<Ended> {
    return await ended(this.spawn(words))
  }

  /** Runs `diad … --home HOME --json`, which has to end with `exit`, and returns the object that it printed. */
  async json (home: string, words: readonly string[], exit = 0): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
    const done = await this.run(...words, '--home', this.path(home), '--json')
    if (done.exit !== exit) throw new Error(`diad ${words.join(' ')} ended with ${String(done.exit)} instead of ${exit}: ${done.stdout}${done.stderr}`)
    return JSON.parse(done.stdout)
  }

  /** `init` without a passphrase. Returns the DomainID. */
  async init (home: string): Promise<string> {
    return (await this.json(home, ['init', '--name', home, '--no-passphrase'])).domain
  }

  /** A daemon that listens on loopback; mDNS is off unless asked for. Resolves when it listens. */
  async serve (home: string, words: readonly string[] = [], { mdns = false, listen = LOOPBACK } = {}): Promise<Daemon> {
    const daemon = new Daemon(this.spawn(['serve', '--home', this.path(home), '--listen', listen, ...mdns ? [] : ['--no-mdns'], '--json', ...words]))
    await daemon.start()
    return daemon
  }

  /** Kills what still runs and removes everything. */
  async close (): Promise<void> {
    await Promise.all([...this.#children].map(async (child) => {
      const gone = once(child, 'close')
      child.kill('SIGKILL')
      await gone
    }))
    for (const folder of [this.root, this.#memory]) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

export async function ended (child: ChildProcess): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  const [exit] = await once(child, 'close') as [number | null]
  return { exit, stdout, stderr }
}

/** A `diad serve` and its event lines. */
export class Daemon {
  readonly events: Event[] = []
  address = ''
  peer = ''
  #stderr = ''
  #closed = false
  #changed: () => void = () => undefined

  constructor (readonly child: ChildProcess) {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.#stderr += text })
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.events.push(JSON.parse(line))
      this.#changed()
    })
    child.once('close', () => {
      this.#closed = true
      this.#changed()
    })
  }

  async start (): Promise<void> {
    const first = await this.next('any event', () => true)
    if (first.event !== 'listening') throw new Error(`the first event is ${JSON.stringify(first)}`)
    this.peer = first['peer'] as string
    this.address = (first['addresses'] as string[])[0] ?? ''
  }

  /** The first event, from the `from`th on, for which `wanted` holds. `what` is said when it doesn't come. */
  async next (what: string, wanted: (event: Event) => boolean, from = 0): Promise<Event> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#changed()
    }, PATIENCE_MS)
    try {
      for (;;) {
        const found = this.events.slice(from).find(wanted)
        if (found !== undefined) return found
        if (this.#closed || late) throw new Error(`${this.#closed ? 'it ended' : 'too late'} while waiting for ${what}: ${this.#stderr}\n${this.events.map((e) => JSON.stringify(e)).join('\n')}`)
        await new Promise<void>((resolve) => { this.#changed = resolve })
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** SIGINT, and its exit code. */
  async stop (signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    const gone = once(this.child, 'close')
    this.child.kill(signal)
    const [exit] = await gone as [number | null]
    return exit
  }
}

/** One of everything that a directory can hold. */
export function sampleTree (root: string): string {
  for (const d of ['', 'empty', 'a', 'a/b', 'имя', 'closed']) mkdirSync(join(root, d))
  writeFileSync(join(root, 'nothing'), '')
  writeFileSync(join(root, 'a', 'grüße 日本.txt'), 'hallo\n')
  writeFileSync(join(root, 'имя', '🦆'), 'quack\n')
  writeFileSync(join(root, 'a', 'b', 'big'), Array.from({ length: 300_000 }, (_, i) => `line ${i}\n`).join(''))
  writeFileSync(join(root, 'run.sh'), '#!/bin/sh\n')
  writeFileSync(join(root, 'closed', 'secret'), 'mine\n')
  for (const [name, mode] of [['run.sh', 0o755], ['closed/secret', 0o400], ['closed', 0o500], ['nothing', 0o640]] as const) chmodSync(join(root, name), mode)
  symlinkSync('a/grüße 日本.txt', join(root, 'link'))
  symlinkSync('../nowhere', join(root, 'dangling'))
  return root
}

/** `count` files of `size` bytes in directories of 100, so many that a signal meets a command in the middle. */
export function manyFiles (root: string, count: number, size: number): string {
  for (let i = 0; i < count; i++) {
    const folder = join(root, String(Math.floor(i / 100)))
    if (i % 100 === 0) mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, String(i)), `${i} `.padEnd(size, 'x'))
  }
  return root
}

/** What a directory holds, in words that two identical trees share: kind, mode, content or target of every path. */
export function inventory (root: string, path = ''): string[] {
  const at = join(root, path)
  const info = lstatSync(at)
  const mode = (info.mode & 0o7777).toString(8)
  if (info.isSymbolicLink()) return [`${path} -> ${readlinkSync(at, 'buffer').toString('hex')}`]
  if (!info.isDirectory()) return [`${path} ${mode} ${createHash('sha256').update(readFileSync(at)).digest('hex')}`]
  return [`${path}/ ${mode}`, ...readdirSync(at).sort().flatMap((name) => inventory(root, join(path, name)))]
}

export const HEX_REFERENCE = /^[0-9a-f]{68}$/
