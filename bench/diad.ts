/** `diad` as a user runs it: the built command line in processes of its own, driven by docs/cli.md and nothing else. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))
const PROBE = new URL('./probe.js', import.meta.url).href
const PATIENCE_MS = 120_000

export interface Ran {
  /** from the spawn to the exit, the start of Node.js included */
  readonly ms: number
  /** largest resident size in bytes */
  readonly peak: number
  /** what it printed */
  readonly result: Readonly<Record<string, unknown>>
}

export interface Event {
  readonly event: string
  /** ms of the bench's own clock, when the line arrived */
  readonly at: number
  readonly [field: string]: unknown
}

export class Diad {
  readonly #children = new Set<ChildProcess>()
  #runs = 0

  /** `memory`: where lane markers go; `scratch`: where the probes write. */
  constructor (private readonly scratch: string, private readonly memory: string) {}

  /** Runs `diad WORDS --home HOME --json` to its end. Throws unless it exits with 0. */
  async run (home: string, ...words: string[]): Promise<Ran> {
    const start = performance.now()
    const { child, probe } = this.#spawn(home, words)
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
    await once(child, 'close')
    const ms = performance.now() - start
    if (child.exitCode !== 0) throw new Error(`diad ${words.join(' ')} ended with ${String(child.exitCode ?? child.signalCode)}: ${stdout()}${stderr()}`)
    return { ms, peak: takePeak(probe), result: JSON.parse(stdout()) as Ran['result'] }
  }

  /** `diad serve` on loopback, without discovery. */
  async serve (home: string, ...words: string[]): Promise<Daemon> {
    const { child, probe } = this.#spawn(home, ['serve', '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns', '--no-dht', ...words])
    const daemon = new Daemon(child, probe)
    await daemon.next((e) => e.event === 'listening')
    return daemon
  }

  killAll (): void {
    for (const child of this.#children) child.kill('SIGKILL')
  }

  #spawn (home: string, words: readonly string[]): { child: ChildProcess, probe: string } {
    const probe = join(this.scratch, `probe-${this.#runs++}`)
    const env = { ...process.env, DIAD_RUNTIME_DIR: this.memory, BENCH_PROBE: probe, NO_COLOR: '1' }
    const child = spawn(process.execPath, [...profiling(words), '--import', PROBE, MAIN, ...words, '--home', home, '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#children.add(child)
    child.once('close', () => this.#children.delete(child))
    return { child, probe }
  }
}

export class Daemon {
  readonly #events: Event[] = []
  #closed = false
  #changed: () => void = () => undefined

  constructor (private readonly child: ChildProcess, private readonly probe: string) {
    const stderr = collect(child.stderr)
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#events.push({ ...JSON.parse(line) as { event: string }, at: performance.now() })
      this.#changed()
    })
    child.once('close', () => {
      this.#closed = true
      if (child.exitCode !== 0) process.stderr.write(stderr())
      this.#changed()
    })
  }

  /** An address to reach it at. */
  get address (): string {
    const [first] = this.#events.find((e) => e.event === 'listening')?.['addresses'] as string[]
    return first ?? ''
  }

  /** Events so far: where to look from for what comes next. */
  get length (): number {
    return this.#events.length
  }

  /** The first event from the `from`th on that is `wanted`. */
  async next (wanted: (event: Event) => boolean, from = 0): Promise<Event> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#changed()
    }, PATIENCE_MS)
    try {
      for (;;) {
        const found = this.#events.slice(from).find(wanted)
        if (found !== undefined) return found
        if (this.#closed || late) throw new Error(`diad serve ${this.#closed ? 'ended' : 'was silent'} before what was waited for: ${this.#events.map((e) => JSON.stringify(e)).join('\n')}`)
        await new Promise<void>((resolve) => { this.#changed = resolve })
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Interrupts it and waits. Returns its largest resident size in bytes. */
  async stop (): Promise<number> {
    const gone = this.#closed ? undefined : once(this.child, 'close')
    this.child.kill('SIGINT')
    await gone
    return takePeak(this.probe)
  }
}

function collect (stream: NodeJS.ReadableStream | null): () => string {
  let text = ''
  stream?.setEncoding('utf8').on('data', (more: string) => { text += more })
  return () => text
}

function takePeak (probe: string): number {
  const peak = Number(readFileSync(probe, 'utf8'))
  rmSync(probe)
  return peak
}

/** With BENCH_PROFILE=DIR each command leaves a CPU profile there, named for it. */
function profiling (words: readonly string[]): string[] {
  const directory = process.env['BENCH_PROFILE']
  return directory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-name=${words[0] ?? ''}-${process.hrtime.bigint()}.cpuprofile`]
}
