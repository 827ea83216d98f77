/** The client of the control channel: the `Backend` that runs commands in the daemon which owns the home's store. */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { DiadError } from '../../substrate/errors.js'
import type { Backend, CommandEvent, CommandIo, Progress } from '../command.js'
import { CONTROL_LIMITS, errorOfWire, FRAME, FRAMES_TYPE, type Frame, frame, frameHeader, frameJson, FrameReader, jsonFrame } from './frames.js'
import { createPrompt, openTerminal } from '../keys/terminal.js'
import type { PassphraseSource } from '../keys/passphrase.js'
import { socketState } from './socket.js'

/** The daemon at `path`, or undefined when there is none (no socket, or one that a dead process left behind). */
export async function connectControl (path: string): Promise<Backend | undefined> {
  return await socketState(path) === 'live' ? new ControlClient(path) : undefined
}

export class ControlClient implements Backend {
  readonly #path: string

  constructor (path: string) {
    this.#path = path
  }

  /** Rejects with the command's own DiadError, `interrupted` after an abort, or `daemon-gone` when the daemon died meanwhile. */
  async run (command: string, args: object, io: CommandIo): Promise<unknown> {
    if (io.signal.aborted) throw interrupted()
    const request = httpRequest({
      socketPath: this.#path,
      method: 'POST',
      path: `/v1/commands/${command.replace(' ', '/')}`,
      headers: { 'content-type': FRAMES_TYPE, host: 'diad' },
      agent: false
    })
    let stuck: NodeJS.Timeout | undefined
    // Breaking the connection off shows as a reset to whoever reads it; what broke it is what people want to know.
    let cause: Error | undefined
    const breakOff = (reason: unknown): void => {
      cause ??= reason instanceof Error ? reason : new Error(String(reason))
      request.destroy(cause)
    }
    // First ask nicely, so that the daemon cleans up (a half-made checkout) before we say that it did.
    const abort = (): void => {
      request.write(frame(FRAME.abort, new Uint8Array()))
      stuck = setTimeout(() => breakOff(interrupted()), CONTROL_LIMITS.abortMs)
    }
    try {
      const answered = responseOf(request)
      request.write(jsonFrame(FRAME.args, { args, passphrase: wirePassphrase(io.passphrase), input: io.input !== undefined }))
      io.signal.addEventListener('abort', abort, { once: true })
      // Beside the answer: the daemon may refuse before it has read everything.
      if (io.input !== undefined) sendInput(request, io.input).catch(breakOff)
      const response = await answered
      if (response.statusCode !== 200) throw await refusal(response)
      return await readAnswer(request, response, io, breakOff)
    } catch (err) {
      throw cause ?? failure(err, io.signal)
    } finally {
      io.signal.removeEventListener('abort', abort)
      clearTimeout(stuck)
      request.destroy()
    }
  }

  /** The body of /v1/health. */
  async health (): Promise<unknown> {
    const request = httpRequest({ socketPath: this.#path, path: '/v1/health', headers: { host: 'diad' }, agent: false })
    const answered = responseOf(request)
    request.end()
    return JSON.parse((await bodyOf(await answered)).toString('utf8')) as unknown
  }

  async close (): Promise<void> { /* each command has a connection of its own */ }
}

async function responseOf (request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', reject)
  })
}

async function sendInput (request: ClientRequest, input: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const bytes of input) {
    for (let at = 0; at < bytes.length; at += CONTROL_LIMITS.dataBytes) {
      if (request.destroyed) return
      const piece = bytes.subarray(at, at + CONTROL_LIMITS.dataBytes)
      request.write(frameHeader(FRAME.data, piece.length))
      if (!request.write(piece)) {
        await new Promise<void>((resolve) => {
          const go = (): void => {
            request.off('drain', go).off('close', go)
            resolve()
          }
          request.on('drain', go).on('close', go)
        })
      }
    }
  }
  if (!request.destroyed) request.write(frame(FRAME.end, new Uint8Array()))
}

async function readAnswer (request: ClientRequest, response: IncomingMessage, io: CommandIo, breakOff: (reason: unknown) => void): Promise<unknown> {
  const reader = new FrameReader(CONTROL_LIMITS.responseJsonBytes)
  for await (const chunk of response as AsyncIterable<Buffer>) {
    for (const f of reader.push(chunk)) {
      if (f.type === FRAME.data) await io.write(f.payload)
      else if (f.type === FRAME.result) return frameJson(f.payload)
      else if (f.type === FRAME.error) throw errorOfWire(frameJson(f.payload))
      else take(request, f, io, breakOff)
    }
  }
  throw gone()
}

/** Frames that only tell. Unknown types are skipped: a newer daemon may say more. */
function take (request: ClientRequest, { type, payload }: Frame, io: CommandIo, breakOff: (reason: unknown) => void): void {
  switch (type) {
    case FRAME.progress:
      io.progress(frameJson(payload) as Progress)
      break
    case FRAME.warn:
      io.warn(String(frameJson(payload)))
      break
    case FRAME.event:
      io.event(frameJson(payload) as CommandEvent)
      break
    case FRAME.ask:
      // Not awaited: an abort has to be heard while the person thinks.
      askHere(String(frameJson(payload)), io.passphrase).then(
        (text) => request.write(jsonFrame(FRAME.answer, text)),
        breakOff
      )
      break
  }
}

/** A terminal doesn't cross the channel: the daemon sends its questions back instead. */
function wirePassphrase (source: PassphraseSource | undefined): PassphraseSource | null {
  return source?.kind === 'prompt' ? { kind: 'prompt' } : source ?? null
}

async function askHere (question: string, source: PassphraseSource | undefined): Promise<string> {
  const prompt = createPrompt(source?.kind === 'prompt' && source.terminal !== undefined ? source.terminal : openTerminal())
  try {
    return await prompt.ask(question)
  } finally {
    prompt.close()
  }
}

const REFUSAL_BYTES = 64 * 1024

async function bodyOf (response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > REFUSAL_BYTES) throw new DiadError('malformed', 'the daemon answered with something too long')
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

async function refusal (response: IncomingMessage): Promise<DiadError> {
  if (response.statusCode === 503) return new DiadError('store-busy', 'the daemon of this home is stopping', 'try again in a moment')
  const body = (await bodyOf(response)).toString('utf8')
  return new DiadError('daemon-refused', `the daemon refused the request: ${response.statusCode ?? 0} ${body.trim()}`, 'the daemon may be of another version: restart it')
}

function interrupted (): DiadError {
  return new DiadError('interrupted', 'interrupted', 'run the same command again to go on')
}

function gone (): DiadError {
  return new DiadError('daemon-gone', 'the daemon ended before the command did', 'look at what it printed; the command can be run again')
}

/** A broken connection as what it means here. */
function failure (err: unknown, signal: AbortSignal): unknown {
  if (err instanceof DiadError) return err
  const { code } = err as NodeJS.ErrnoException
  const broken = code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ENOENT' || code === 'ECONNREFUSED'
  if (!broken) return err
  return signal.aborted ? interrupted() : gone()
}
