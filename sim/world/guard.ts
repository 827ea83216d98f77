/**
 * Between the simulator and code of an adversary. What that code throws fails the run under its name, once, and not the simulator; from then on the
 * node is honest, so that the rest of the run still says something.
 */
import { DiadError } from '../../src/substrate/errors.js'

type Hook = (...args: never[]) => unknown

export class Guard {
  private broken = false
  /** how often each hook was called */
  readonly calls = new Map<string, number>()

  constructor (private readonly adversary: string, private readonly violate: (text: string) => void) {}

  /** What `work` returns; what `otherwise` returns where it throws, or threw before. A promise that it returns is watched too. */
  run<T> (work: () => T, otherwise: () => T): T {
    if (this.broken) return otherwise()
    try {
      const out = work()
      if (out instanceof Promise) out.catch((err: unknown) => { this.threw(err) })
      return out
    } catch (err) {
      this.threw(err)
      return otherwise()
    }
  }

  private threw (err: unknown): void {
    // What is no plug-in at all is told before there is a run.
    if (err instanceof DiadError && err.code === 'bad-plugin') throw err
    if (this.broken) return
    this.broken = true
    this.violate(`adversary ${this.adversary} threw: ${err instanceof Error ? err.message : String(err)}`)
  }

  /** The same functions, each run under guard; `honest` says what is done where one of them throws. */
  wrap<H extends object> (hooks: H, honest: Required<H>): H {
    const out: Record<string, Hook> = {}
    for (const [name, hook] of Object.entries(hooks) as Array<[string, Hook]>) {
      const instead = (honest as Record<string, Hook>)[name]
      this.calls.set(name, 0)
      out[name] = (...args) => {
        this.calls.set(name, (this.calls.get(name) ?? 0) + 1)
        return this.run(() => hook(...args), () => instead?.(...args))
      }
    }
    return out as H
  }
}
