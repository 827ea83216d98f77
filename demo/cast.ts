/**
 * The processes of the demo. Each is an operating system process of its own that speaks JSON lines; what is waited for are its events, never time.
 * Whatever happens, `endAll` leaves none behind.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const DIAD = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))

/** An expectation of the story that didn't hold. Its message is the one line that the demo ends with. */
export class Failed extends Error {}

export interface DemoEvent {
  readonly event: string
  readonly [key: string]: unknown
}

/** What a command printed as JSON, how it ended and how long it took. */
export interface Ended<T> {
  readonly exit: number
  readonly result: T
  readonly seconds: number
}

/** How long any single event may take before the demo says what it waited for and gives up. */
const PATIENCE_MS = 80_000

export class Cast {
  readonly #children = new Set<ChildProcess>()

  constructor (private readonly env: NodeJS.ProcessEnv, private readonly signal: AbortSignal) {}

  /** Runs one `diad` command to its end. With `watch` its progress bar is shown, where there is a terminal for it. */
  async diad<T> (args: readonly string[], watch = false): Promise<Ended<T>> {
    const start = performance.now()
    const child = this.#spawn(DIAD, [...args, '--json'], watch && process.stderr.isTTY)
    let stdout = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => { stdout += text })
    const said = tail(child)
    const [exit] = await once(child, 'close') as [number | null]
    this.signal.throwIfAborted()
    const seconds = (performance.now() - start) / 1000
    let result: T & { error?: { message: string } }
    try {
      result = JSON.parse(stdout)
    } catch {
      throw new Failed(`diad ${args[0] ?? ''} ended with ${exit ?? 'a signal'} and without a result: ${said()}`)
    }
    if (result.error !== undefined) throw new Failed(`diad ${args[0] ?? ''}: ${result.error.message}`)
    return { exit: exit ?? -1, result, seconds }
  }

  /** A `diad serve`. */
  serve (args: readonly string[]): Actor {
    return this.start(DIAD, ['serve', ...args, '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns', '--json'])
  }

  /** A process that goes on until it is killed. */
  start (script: string, args: readonly string[]): Actor {
    return new Actor(this.#spawn(script, args, false), this.signal)
  }

  /** Kills whatever still runs and waits until it is gone. */
  async endAll (): Promise<void> {
    await Promise.all([...this.#children].map(kill))
  }

  /** The last resort of a process that is about to exit and can't wait. */
  killNow (): void {
    for (const child of this.#children) child.kill('SIGKILL')
  }

  #spawn (script: string, args: readonly string[], showErrors: boolean): ChildProcess {
    this.signal.throwIfAborted()
    const child = spawn(process.execPath, [script, ...args], { env: this.env, stdio: ['pipe', 'pipe', showErrors ? 'inherit' : 'pipe'] })
    this.#children.add(child)
    child.once('close', () => this.#children.delete(child))
    return child
  }
}

export class Actor {
  readonly #said: () => string
  /** events that nobody has waited for yet, the oldest first */
  readonly #events: DemoEvent[] = []
  #gone = false
  #changed: () => void = () => undefined

  constructor (private readonly child: ChildProcess, private readonly signal: AbortSignal) {
    this.#said = tail(child)
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#events.push(JSON.parse(line))
      this.#changed()
    })
    child.once('close', () => {
      this.#gone = true
      this.#changed()
    })
  }

  get pid (): number {
    return this.child.pid ?? 0
  }

  /** The next event for which `wanted` holds; those before it are passed over. `what` is said if it never comes. */
  async next (what: string, wanted: (event: DemoEvent) => boolean): Promise<DemoEvent> {
    const late = AbortSignal.timeout(PATIENCE_MS)
    const wake = (): void => this.#changed()
    for (const s of [late, this.signal]) s.addEventListener('abort', wake)
    try {
      for (;;) {
        for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) if (wanted(event)) return event
        this.signal.throwIfAborted()
        if (this.#gone) throw new Failed(`the process that should have shown "${what}" ended: ${this.#said()}`)
        if (late.aborted) throw new Failed(`waited ${PATIENCE_MS / 1000} s for "${what}"`)
        await new Promise<void>((resolve) => { this.#changed = resolve })
      }
    } finally {
      for (const s of [late, this.signal]) s.removeEventListener('abort', wake)
    }
  }

  /** The address under which the process can be dialled. */
  async listening (): Promise<string> {
    const { addresses } = await this.next('listening', (e) => e.event === 'listening')
    const [first] = addresses as string[]
    if (first === undefined) throw new Failed('a node listens nowhere')
    return first
  }

  /** SIGKILL: no goodbye, no last write. Resolves when the process is gone. */
  async kill (): Promise<void> {
    await kill(this.child)
  }
}

async function kill (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'close')
  child.kill('SIGKILL')
  await gone
}

/** The end of what a process says on standard error, for a message about its failure. */
function tail (child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (more: string) => { text = (text + more).slice(-2000) })
  return () => text.trim() === '' ? '(it said nothing)' : text.trim()
}
