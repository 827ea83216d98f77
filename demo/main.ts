/**
 * `npm start [-- DIR]`: the demo. A directory is published, mirrored, fetched by a stranger from the mirror and a liar after its publisher is gone, and
 * compared with what was published. Ends with 0, 1 when an expectation failed, 2 on bad input, 130 on Ctrl-C; leaves no process and no file behind.
 */
import { existsSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cast, Failed } from './cast.js'
import { Teller } from './say.js'
import { play } from './story.js'

const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))

async function main (words: readonly string[]): Promise<number> {
  const directory = resolve(words[0] ?? NODE_MODULES)
  if (words.length > 1 || words[0]?.startsWith('-') === true) return refuse('usage: npm start [-- DIR]')
  if (!existsSync(directory)) return refuse(`there is no ${directory}`)
  if (!statSync(directory).isDirectory()) return refuse(`${directory} is not a directory`)

  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => { stop.abort(new Failed('interrupted')) })

  const root = realpathSync(mkdtempSync(join(tmpdir(), 'diad-demo-')))
  const folders = [root]
  // The lane markers must stand in a memory file system (Linux has one here), and ours shall not stay there.
  const memory = process.platform === 'linux' && existsSync('/dev/shm') ? mkdtempSync('/dev/shm/diad-demo-') : root
  if (memory !== root) folders.push(memory)
  const cast = new Cast({ ...process.env, DIAD_RUNTIME_DIR: memory }, stop.signal)
  const remove = (): void => { for (const f of folders) rmSync(f, { recursive: true, force: true, maxRetries: 5 }) }
  // For an exit that nobody planned, like a closed pipe behind us.
  process.on('exit', () => {
    cast.killNow()
    remove()
  })
  const teller = new Teller(process.stdout, process.env)
  try {
    await play({ directory, root, cast, teller })
    return 0
  } catch (err) {
    if (stop.signal.aborted) return 130
    const why = err instanceof Failed ? err.message : err instanceof Error ? err.stack ?? err.message : String(err)
    process.stderr.write(`\n${teller.style.bad('The demo failed:')} ${why}\n`)
    return 1
  } finally {
    await cast.endAll()
    remove()
  }
}

function refuse (why: string): number {
  process.stderr.write(`demo: ${why}\n`)
  return 2
}

// Awaited and said explicitly, so that nothing forgotten keeps a finished demo alive.
process.exit(await main(process.argv.slice(2)))
