/** The `CommandIo` of a command that runs for a client at the other end of the control channel. */
import type { ServerResponse } from 'node:http'
import type { PassThrough } from 'node:stream'
import { DiadError } from '../../substrate/errors.js'
import type { CommandEvent, CommandIo, Progress } from '../command.js'
import type { PassphraseSource } from '../keys/passphrase.js'
import { CONTROL_LIMITS, FRAME, frameHeader, jsonFrame } from './frames.js'
import { remoteTerminal } from './remote-terminal.js'
import type { CommandRequest } from './request.js'

export class ResponseIo implements CommandIo {
  readonly signal: AbortSignal
  readonly input?: AsyncIterable<Uint8Array>
  readonly passphrase?: PassphraseSource
  readonly #response: ServerResponse
  #answers: Array<(text: string) => void> = []
  #latest: Progress | undefined
  #progressTimer: NodeJS.Timeout | undefined

  constructor (response: ServerResponse, signal: AbortSignal, asked: CommandRequest, input: PassThrough) {
    this.#response = response
    this.signal = signal
    if (asked.input) this.input = input
    if (asked.passphrase?.kind === 'prompt') this.passphrase = { kind: 'prompt', terminal: remoteTerminal(async (question) => this.#ask(question)) }
    else if (asked.passphrase !== undefined) this.passphrase = asked.passphrase
    // Headers go at once: a client knows that its command runs, even if nothing is said for minutes.
    response.flushHeaders()
  }

  /** Lossy: at most one frame in `progressMs`, always the newest. */
  readonly progress = (progress: Progress): void => {
    this.#latest = progress
    this.#progressTimer ??= setTimeout(() => this.flushProgress(), CONTROL_LIMITS.progressMs)
  }

  flushProgress (): void {
    clearTimeout(this.#progressTimer)
    this.#progressTimer = undefined
    if (this.#latest === undefined) return
    this.#send(jsonFrame(FRAME.progress, this.#latest))
    this.#latest = undefined
  }

  readonly event = (event: CommandEvent): void => this.#send(jsonFrame(FRAME.event, event))

  readonly warn = (line: string): void => this.#send(jsonFrame(FRAME.warn, line))

  readonly write = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length; at += CONTROL_LIMITS.dataBytes) {
      await this.#writeFrame(bytes.subarray(at, at + CONTROL_LIMITS.dataBytes))
    }
  }

  /**
   * The socket has taken the bytes when this resolves, so the caller may reuse them, and a slow reader slows us down. Rejects when the command is
   * aborted, which a client that goes away does too: the callback of a write that can't be made may never come.
   */
  async #writeFrame (piece: Uint8Array): Promise<void> {
    const response = this.#response
    await this.#unlessAborted<true>((resolve) => {
      response.cork()
      response.write(frameHeader(FRAME.data, piece.length))
      // A failed write closes the response, and that aborts.
      response.write(piece, (err) => { if (err === null || err === undefined) resolve(true) })
      response.uncork()
    })
  }

  async #ask (question: string): Promise<string> {
    return this.#unlessAborted<string>((resolve) => {
      this.#answers.push(resolve)
      this.#send(jsonFrame(FRAME.ask, question))
    })
  }

  async #unlessAborted<T> (start: (resolve: (value: T) => void) => void): Promise<T> {
    const { signal } = this
    return new Promise<T>((resolve, reject) => {
      const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new DiadError('interrupted', 'interrupted'))
      if (signal.aborted) {
        stop()
        return
      }
      signal.addEventListener('abort', stop, { once: true })
      start((value) => {
        signal.removeEventListener('abort', stop)
        resolve(value)
      })
    })
  }

  answered (text: string): void {
    this.#answers.shift()?.(text)
  }

  /** Stops the timer; a command may not use its io after it has ended. */
  finish (): void {
    clearTimeout(this.#progressTimer)
    this.#progressTimer = undefined
    this.#latest = undefined
    this.#answers = []
  }

  #send (bytes: Buffer): void {
    if (!this.#response.destroyed && !this.#response.writableEnded) this.#response.write(bytes)
  }
}
