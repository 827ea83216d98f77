/**
 * Another implementation as a child process: one line of JSON to its standard input, one line back. One that is late, breaks off or writes something else
 * has failed that vector; it is started afresh for the next.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { type Answer, answerOf, type Vector } from '../../../authority/conformance/vector.js'
import { MalformedError } from '../../../substrate/errors.js'

/** An answer has about 150 bytes. */
const MAX_LINE = 64 * 1024
/** A program that ends this often without answering isn't one. */
const MAX_FAILURES = 3

export class OtherImplementation {
  #child: ChildProcess | undefined
  #waiting: ((line: string | undefined) => void) | undefined
  #text = ''
  #failures = 0

  constructor (private readonly command: string, private readonly timeoutMs: number, private readonly warn: (line: string) => void) {}

  /** The answer, or why there is none. */
  async ask (vector: Vector, id: number): Promise<Answer | string> {
    if (this.#failures >= MAX_FAILURES) return 'no answer: the program ended too often'
    const child = this.#child ?? this.#start()
    let late = false
    const line = await new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(() => { late = true; resolve(undefined) }, this.timeoutMs)
      this.#waiting = (text) => { clearTimeout(timer); resolve(text) }
      child.stdin?.write(`${JSON.stringify(question(vector, id))}\n`)
    })
    this.#waiting = undefined
    const answer = line === undefined ? (late ? `no answer within ${this.timeoutMs / 1000} s` : 'no answer: the program ended') : readAnswer(line, id)
    // Whatever it says later would be taken for an answer to something else.
    if (typeof answer === 'string') {
      this.close()
      if (!late) this.#failures++
    } else this.#failures = 0
    return answer
  }

  #start (): ChildProcess {
    const child = spawn(this.command, { shell: true, stdio: ['pipe', 'pipe', 'inherit'], detached: process.platform !== 'win32' })
    this.#child = child
    this.#text = ''
    const gone = (): void => {
      if (this.#child !== child) return
      this.#child = undefined
      this.#waiting?.(undefined)
    }
    child.once('error', (err) => { this.warn(`${this.command}: ${err.message}`); gone() })
    child.once('exit', gone)
    // It ended between two vectors: `exit` says so.
    child.stdin.on('error', () => {})
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (this.#child !== child) return
      this.#text += text
      const end = this.#text.indexOf('\n')
      if (end < 0 && this.#text.length <= MAX_LINE) return
      const line = end < 0 ? '' : this.#text.slice(0, end)
      this.#text = end < 0 ? '' : this.#text.slice(end + 1)
      this.#waiting?.(line)
    })
    return child
  }

  /** Ends the program. */
  close (): void {
    const child = this.#child
    this.#child = undefined
    if (child?.pid === undefined) return
    try {
      // The shell and what it started are one group.
      if (process.platform === 'win32') child.kill('SIGKILL')
      else process.kill(-child.pid, 'SIGKILL')
    } catch { /* it ended by itself */ }
  }
}

/** What is asked: everything that is needed to judge, and nothing that says what must come out. */
export function question (vector: Vector, id: number): Record<string, unknown> {
  const { domain, artifacts, logs, other, nonces, subject } = vector.plain
  return { id, ...(domain === undefined ? {} : { domain }), artifacts, logs, ...(other === undefined ? {} : { other }), ...(nonces === undefined ? {} : { nonces }), subject }
}

function readAnswer (line: string, id: number): Answer | string {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    return 'no answer: not a line of JSON'
  }
  if (typeof json !== 'object' || json === null) return 'no answer: not an object'
  const said = json as Record<string, unknown>
  if (said['id'] !== undefined && said['id'] !== id) return `no answer: it answers number ${JSON.stringify(said['id'])} instead of ${id}`
  if (typeof said['status'] !== 'string' || typeof said['code'] !== 'string') return 'no answer: "status" and "code" have to be texts'
  try {
    return answerOf(said, 'no answer')
  } catch (err) {
    if (err instanceof MalformedError) return err.message
    throw err
  }
}
