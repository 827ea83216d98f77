/**
 * The framing of the control channel, in both directions of one HTTP exchange (`application/vnd.diad.frames`):
 *
 *     frame = u8 type ‖ u32 BE length ‖ payload
 *
 * request   ARGS {"args":{…},"passphrase":{…}|null,"input":bool}, then DATA* and END if "input", and at any time ABORT or ANSWER
 *           (ANSWER is a line that the person typed after ASK)
 * response  PROGRESS, WARN, EVENT, DATA and ASK in any number and order, then exactly one of RESULT and ERROR
 *
 * All payloads are JSON in UTF-8, except DATA (raw bytes without meaning in their boundaries; may be empty) and END and ABORT (empty).
 * A response that ends without RESULT or ERROR means that the daemon died.
 *
 * Why not one JSON object a line: `cat` would carry base64, a third more bytes and a text parser in the way of every block.
 */
import { DiadError } from '../../substrate/errors.js'

export const FRAMES_TYPE = 'application/vnd.diad.frames'

export const FRAME = {
  args: 0x01,
  data: 0x02,
  end: 0x03,
  abort: 0x04,
  answer: 0x05,
  progress: 0x11,
  warn: 0x12,
  event: 0x13,
  ask: 0x14,
  result: 0x15,
  error: 0x16
} as const

const HEADER_BYTES = 5

export const CONTROL_LIMITS = {
  /** bytes of a request's JSON frames: arguments are names, paths and addresses */
  requestJsonBytes: 1024 * 1024,
  /** bytes of a response's JSON frames: `ls` of a directory with a million entries has about 200 MB */
  responseJsonBytes: 384 * 1024 * 1024,
  /** bytes of one DATA frame that we send; received ones are passed on in pieces as they come, whatever length they declare */
  dataBytes: 1024 * 1024,
  /** milliseconds a client has to send its headers and arguments: it is on the same machine */
  argumentsMs: 10_000,
  /** milliseconds between two PROGRESS frames: a terminal shows no more, and a command may report every file */
  progressMs: 50,
  /** milliseconds the daemon gets to clean up after ABORT before the client stops waiting for its answer */
  abortMs: 10_000,
  /** connections at once: each may hold a frame, and people don't run more commands than that */
  connections: 64
} as const

export function frame (type: number, payload: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(HEADER_BYTES + payload.length)
  out[0] = type
  out.writeUInt32BE(payload.length, 1)
  out.set(payload, HEADER_BYTES)
  return out
}

/** A frame's header alone, to be followed by `length` bytes: saves the copy of a block. */
export function frameHeader (type: number, length: number): Buffer {
  const out = Buffer.allocUnsafe(HEADER_BYTES)
  out[0] = type
  out.writeUInt32BE(length, 1)
  return out
}

export function jsonFrame (type: number, value: unknown): Buffer {
  // undefined has no JSON; a command without a result answers null
  return frame(type, Buffer.from(JSON.stringify(value) ?? 'null'))
}

/** A frame, or a piece of a DATA frame. */
export interface Frame { type: number, payload: Uint8Array }

/** Takes a byte stream apart. DATA comes out in the pieces in which it arrives, everything else whole. */
export class FrameReader {
  readonly #limit: number
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  /** the frame being read; `left` counts the bytes that are still to come */
  #open: { type: number, left: number } | undefined

  /** `limit`: bytes of the greatest frame that isn't DATA. */
  constructor (limit: number) {
    this.#limit = limit
  }

  /** Whether the stream may end here: not inside of a frame. */
  get atBoundary (): boolean {
    return this.#open === undefined && this.#pendingBytes === 0
  }

  /** All frames that `chunk` completes. Throws DiadError `malformed` on a frame that is too long: nothing is kept on a sender's word. */
  push (chunk: Uint8Array): Frame[] {
    const out: Frame[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#open === undefined) {
        const taken = Math.min(HEADER_BYTES - this.#pendingBytes, chunk.length - at)
        this.#keep(chunk.subarray(at, at + taken))
        at += taken
        if (this.#pendingBytes < HEADER_BYTES) break
        const header = this.#takePending()
        const type = header[0] as number
        const left = Buffer.from(header.buffer, header.byteOffset, HEADER_BYTES).readUInt32BE(1)
        if (type !== FRAME.data && left > this.#limit) {
          throw new DiadError('malformed', `control channel: a frame of ${left} bytes, at most ${this.#limit} are allowed`)
        }
        this.#open = { type, left }
      }
      const open = this.#open
      const taken = Math.min(open.left, chunk.length - at)
      const piece = chunk.subarray(at, at + taken)
      at += taken
      open.left -= taken
      if (open.type === FRAME.data) {
        if (taken > 0) out.push({ type: FRAME.data, payload: piece })
      } else {
        this.#keep(piece)
        if (open.left === 0) out.push({ type: open.type, payload: this.#takePending() })
      }
      if (open.left === 0) this.#open = undefined
    }
    return out
  }

  #keep (piece: Uint8Array): void {
    if (piece.length === 0) return
    this.#pending.push(piece)
    this.#pendingBytes += piece.length
  }

  #takePending (): Uint8Array {
    const all = this.#pending.length === 1 ? this.#pending[0] as Uint8Array : Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    return all
  }
}

/** The JSON of a frame's payload. Throws DiadError `malformed`. */
export function frameJson (payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')) as unknown
  } catch (err) {
    throw new DiadError('malformed', 'control channel: a frame is not JSON', '', { cause: err })
  }
}

/** An error as it crosses the channel, and as `--json` prints it. */
export interface WireError { code: string, message: string, hint: string, /** lines like `message`, for what else was found wrong */ more?: string[] }

/** The code that stands for a bug: something other than a DiadError was thrown. */
export const INTERNAL = 'internal'

/**
 * What a thrown value is for people and scripts: a DiadError as it is, an abort as `interrupted`, a few causes of the operating system's that no
 * command can foresee at every call, and `internal` for all the rest.
 */
export function wireError (err: unknown): WireError {
  if (err instanceof DiadError) return { code: err.code, message: err.message, hint: err.hint, ...(err.more.length === 0 ? {} : { more: [...err.more] }) }
  const { name, code, message } = (typeof err === 'object' && err !== null ? err : { message: String(err) }) as { name?: unknown, code?: unknown, message?: unknown }
  if (name === 'AbortError' || code === 'ABORT_ERR') return { code: 'interrupted', message: 'interrupted', hint: 'run the same command again to go on' }
  if (code === 'ENOSPC' || code === 'EDQUOT') return { code: 'disk-full', message: 'the disk is full', hint: 'make room and run the same command again; what is committed stays' }
  if (code === 'EFBIG') return { code: 'disk-full', message: 'a file would be larger than the size limit that is set here', hint: 'raise the limit (ulimit -f), then run the same command again' }
  if (code === 'EROFS') return { code: 'read-only-disk', message: 'the disk is read-only', hint: 'give --home a place that can be written' }
  if ((code === 'EACCES' || code === 'EPERM') && 'syscall' in (err as object)) return noPermission(err as NodeJS.ErrnoException)
  return { code: INTERNAL, message: typeof message === 'string' && message !== '' ? message : 'unknown error', hint: '' }
}

/** Calls that only look. `open` may be either; who writes a file says so where it does. */
const LOOKING = new Set(['open', 'scandir', 'opendir', 'stat', 'lstat', 'fstat', 'read', 'readlink', 'realpath', 'access'])

/** The owner of the file can mend it, so it is no fault of ours, wherever it came up. */
function noPermission ({ syscall = '', path }: NodeJS.ErrnoException): WireError {
  const looking = LOOKING.has(syscall)
  return { code: looking ? 'unreadable' : 'unwritable', message: `no permission to ${looking ? 'read' : 'write'}${path === undefined ? ` (${syscall})` : ` ${path}`}`, hint: 'give yourself the permission, then run the same command again' }
}

/** The other end's error as ours. An `internal` one stays distinguishable by its code. */
export function errorOfWire (value: unknown): DiadError {
  const { code, message, hint, more } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<keyof WireError, unknown>>
  const text = (x: unknown, otherwise: string): string => typeof x === 'string' ? x : otherwise
  return new DiadError(text(code, INTERNAL), text(message, 'the daemon answered with an error without a message'), text(hint, ''), { more: Array.isArray(more) ? more.filter((line) => typeof line === 'string') : [] })
}
