/** What the demo prints: one line for each thing that happens, with the time since the start and who did it. */
import { type Style, styleFor } from '../src/cli/style.js'
import { formatBytes } from '../src/cli/text.js'

export type Who = 'alice' | 'bob' | 'carol' | 'mallory'

/** A step of the story that was measured. */
export interface Phase {
  readonly what: string
  readonly seconds: number
  readonly bytes: number
}

export class Teller {
  readonly style: Style
  readonly phases: Phase[] = []
  readonly #start = performance.now()
  #chapter = 0

  constructor (private readonly out: NodeJS.WriteStream, env: NodeJS.ProcessEnv) {
    this.style = styleFor(out.isTTY, env)
  }

  line (text = ''): void {
    this.out.write(`${text}\n`)
  }

  chapter (title: string): void {
    this.line(`\n${this.style.strong(`${++this.#chapter}. ${title}`)}`)
  }

  /** `  3.1 s  bob      mirrors …` */
  says (who: Who, text: string): void {
    const time = `${((performance.now() - this.#start) / 1000).toFixed(1)} s`.padStart(7)
    const name = who.padEnd(8)
    this.line(`${this.style.faint(time)}  ${who === 'mallory' ? this.style.bad(name) : this.style.strong(name)} ${text}`)
  }

  /** Remembers a measured step for the table at the end and returns it as text. */
  measured (what: string, seconds: number, bytes: number): string {
    this.phases.push({ what, seconds, bytes })
    return `${formatBytes(bytes)} in ${seconds.toFixed(1)} s, ${formatBytes(bytes / seconds)}/s`
  }

  table (): void {
    for (const { what, seconds, bytes } of this.phases) {
      this.line(`   ${what.padEnd(34)} ${seconds.toFixed(1).padStart(6)} s   ${formatBytes(bytes / seconds).padStart(8)}/s`)
    }
  }
}
