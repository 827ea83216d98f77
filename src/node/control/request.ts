/** The server's half of a request: arguments first, then raw input, answers and ABORT while the command runs. */
import type { IncomingMessage } from 'node:http'
import type { PassThrough } from 'node:stream'
import { DiadError } from '../../substrate/errors.js'
import type { PassphraseSource } from '../keys/passphrase.js'
import { CONTROL_LIMITS, FRAME, type Frame, FrameReader, frameJson } from './frames.js'

export interface CommandRequest {
  args: object
  passphrase: PassphraseSource | undefined
  /** whether DATA frames follow */
  input: boolean
}

export interface RequestSink {
  /** gets the DATA frames */
  input: PassThrough
  abort: (reason: Error) => void
  answer: (text: string) => void
}

export class RequestReader {
  /** Rejects with DiadError `malformed` when the first frame isn't good arguments or doesn't come in time. */
  readonly args: Promise<CommandRequest>
  readonly #request: IncomingMessage
  readonly #sink: RequestSink
  readonly #frames = new FrameReader(CONTROL_LIMITS.requestJsonBytes)
  #settle: { resolve: (r: CommandRequest) => void, reject: (e: Error) => void } | undefined

  constructor (request: IncomingMessage, sink: RequestSink) {
    this.#request = request
    this.#sink = sink
    this.args = new Promise((resolve, reject) => { this.#settle = { resolve, reject } })
    const deadline = setTimeout(() => this.#fail(new DiadError('malformed', 'control channel: no arguments came')), CONTROL_LIMITS.argumentsMs)
    const done = (): void => clearTimeout(deadline)
    this.args.then(done, done)
    request.on('data', (chunk: Buffer) => this.#take(chunk))
    request.once('end', () => {
      this.#fail(new DiadError('malformed', 'control channel: the request ended before its arguments'))
      sink.input.end()
    })
    request.once('error', () => { /* the response's 'close' aborts the command */ })
    request.once('close', () => this.#fail(new DiadError('interrupted', 'the client went away')))
  }

  /** Before the arguments are there a fault refuses the request; afterwards there is nothing left to refuse. */
  #fail (err: Error): void {
    this.#settle?.reject(err)
    this.#settle = undefined
  }

  #take (chunk: Buffer): void {
    try {
      for (const f of this.#frames.push(chunk)) this.#frame(f)
    } catch (err) {
      const fault = err instanceof Error ? err : new Error(String(err))
      this.#fail(fault)
      this.#sink.abort(fault)
      this.#request.removeAllListeners('data').resume()
    }
  }

  #frame ({ type, payload }: Frame): void {
    if (this.#settle !== undefined) {
      if (type !== FRAME.args) throw new DiadError('malformed', 'control channel: the first frame has to be the arguments')
      this.#settle.resolve(parseRequest(frameJson(payload)))
      this.#settle = undefined
      return
    }
    switch (type) {
      case FRAME.data:
        if (!this.#sink.input.write(payload)) {
          this.#request.pause()
          this.#sink.input.once('drain', () => this.#request.resume())
        }
        break
      case FRAME.end:
        this.#sink.input.end()
        break
      case FRAME.abort:
        this.#sink.abort(new DiadError('interrupted', 'interrupted', 'run the same command again to go on'))
        break
      case FRAME.answer: {
        const text = frameJson(payload)
        if (typeof text === 'string') this.#sink.answer(text)
        break
      }
      default:
        throw new DiadError('malformed', `control channel: unknown frame type ${type}`)
    }
  }
}

function parseRequest (value: unknown): CommandRequest {
  const bad = (): never => { throw new DiadError('malformed', 'control channel: the arguments are not of the right form') }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad()
  const { args, passphrase, input } = value as Record<string, unknown>
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return bad()
  return { args, passphrase: parsePassphrase(passphrase), input: input === true }
}

function parsePassphrase (value: unknown): PassphraseSource | undefined {
  if (value === null || value === undefined) return undefined
  const { kind, path, others = [], passphrase } = value as Record<string, unknown>
  if (kind === 'none' || kind === 'prompt') return { kind }
  if (kind === 'file' && typeof path === 'string' && Array.isArray(others) && others.every((o): o is string => typeof o === 'string')) return others.length === 0 ? { kind, path } : { kind, path, others }
  if (kind === 'given' && typeof passphrase === 'string') return { kind, passphrase }
  throw new DiadError('malformed', 'control channel: unknown source of the passphrase')
}
