/** The worker processes: starting them, waiting for what they say, leaving none behind. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Done, Job, Order, Said } from './jobs.js'

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url))

/** A whole GiB over a slow disk fits; a worker that hangs doesn't hang the bench. */
const PATIENCE_MS = 300_000

export class Crew {
  readonly #workers = new Set<Worker>()

  /** `env` is added to our own environment. */
  constructor (private readonly env: NodeJS.ProcessEnv) {}

  start (job: Job): Worker {
    const worker = new Worker(job, this.env)
    this.#workers.add(worker)
    worker.gone.then(() => this.#workers.delete(worker), () => undefined)
    return worker
  }

  /** A job that ends by itself. */
  async run (job: Job): Promise<Done> {
    const worker = this.start(job)
    const done = await worker.next('done')
    await worker.gone
    return done
  }

  killAll (): void {
    for (const worker of this.#workers) worker.kill()
  }
}

export class Worker {
  readonly gone: Promise<unknown>
  readonly #child: ChildProcess
  readonly #said: Said[] = []
  #ended = false
  #changed: () => void = () => undefined

  constructor (private readonly job: Job, env: NodeJS.ProcessEnv) {
    this.#child = fork(WORKER, [], { env: { ...process.env, ...env }, execArgv: [...process.execArgv, ...profiling(job)], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child.on('message', (said: Said) => {
      this.#said.push(said)
      this.#changed()
    })
    this.gone = once(this.#child, 'exit').then(() => {
      this.#ended = true
      this.#changed()
    })
    this.#child.send(job)
  }

  /** The next thing of this kind that it says and that is `wanted`; what comes before is passed over. Rejects when it fails, ends or stays silent. */
  async next<E extends Said['event']> (event: E, wanted: (said: Extract<Said, { event: E }>) => boolean = () => true): Promise<Extract<Said, { event: E }>> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#changed()
    }, PATIENCE_MS)
    try {
      for (;;) {
        for (let said = this.#said.shift(); said !== undefined; said = this.#said.shift()) {
          if (said.event === 'failed') throw new Error(`${this.job.kind}: ${said.why}`)
          if (said.event === event && wanted(said as Extract<Said, { event: E }>)) return said as Extract<Said, { event: E }>
        }
        if (this.#ended) throw new Error(`the worker "${this.job.kind}" ended without saying "${event}"`)
        if (late) throw new Error(`waited ${PATIENCE_MS / 1000} s for "${event}" of the worker "${this.job.kind}"`)
        await new Promise<void>((resolve) => { this.#changed = resolve })
      }
    } finally {
      clearTimeout(timer)
    }
  }

  order (order: Order): void {
    this.#child.send(order)
  }

  /** Ends one that goes on by itself, and waits until it is gone. */
  async stop (): Promise<void> {
    this.order({ order: 'stop' })
    await this.gone
  }

  kill (): void {
    this.#child.kill('SIGKILL')
  }
}

/** With BENCH_PROFILE=DIR each worker leaves a CPU profile there, named for its job. */
function profiling (job: Job): string[] {
  const directory = process.env['BENCH_PROFILE']
  return directory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-name=${job.kind}-${process.hrtime.bigint()}.cpuprofile`]
}
