/** The worker processes of the floors: starting them, waiting for what they say, leaving none behind. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Job, Said } from './jobs.js'

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url))

/** A whole GiB over a slow disk fits; a worker that hangs doesn't hang the bench. */
const PATIENCE_MS = 120_000

export class Crew {
  readonly #workers = new Set<Worker>()

  start (job: Job): Worker {
    const worker = new Worker(job)
    this.#workers.add(worker)
    worker.gone.then(() => this.#workers.delete(worker), () => undefined)
    return worker
  }

  /** The time of a job that ends by itself, in ms. */
  async time (job: Job): Promise<number> {
    const worker = this.start(job)
    const { ms } = await worker.next('done')
    await worker.gone
    return ms
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

  constructor (private readonly job: Job) {
    this.#child = fork(WORKER, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
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

  /** The next thing of this kind that it says. Rejects when it fails, ends or stays silent. */
  async next<E extends Said['event']> (event: E): Promise<Extract<Said, { event: E }>> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#changed()
    }, PATIENCE_MS)
    try {
      for (;;) {
        for (let said = this.#said.shift(); said !== undefined; said = this.#said.shift()) {
          if (said.event === 'failed') throw new Error(`${this.job.kind}: ${said.why}`)
          if (said.event === event) return said as Extract<Said, { event: E }>
        }
        if (this.#ended) throw new Error(`the worker "${this.job.kind}" ended without saying "${event}"`)
        if (late) throw new Error(`waited ${PATIENCE_MS / 1000} s for "${event}" of the worker "${this.job.kind}"`)
        await new Promise<void>((resolve) => { this.#changed = resolve })
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends one that goes on by itself, and waits until it is gone. */
  async stop (): Promise<void> {
    this.#child.send('stop')
    await this.gone
  }

  kill (): void {
    this.#child.kill('SIGKILL')
  }
}
