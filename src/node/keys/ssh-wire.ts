/** The data types of SSH's protocols (RFC 4251 section 5), as far as the agent and OpenSSH's key files need them. */
import { concatBytes, readU32 } from '../../substrate/bytes.js'

/** The name of the only kind of key that is used here. */
export const SSH_ED25519 = 'ssh-ed25519'

export const KEY_BYTES = 32
export const SIGNATURE_BYTES = 64

/** Reads values one after the other. Whatever doesn't fit throws what `fault` makes of the reason. */
export class SshReader {
  readonly #bytes: Uint8Array
  readonly #fault: (why: string) => Error
  #at = 0

  constructor (bytes: Uint8Array, fault: (why: string) => Error) {
    this.#bytes = bytes
    this.#fault = fault
  }

  /** The next `length` bytes; a view, not a copy. */
  take (length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw this.#fault('it is cut off')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  u32 (): number {
    return readU32(this.take(4), 0)
  }

  /** A length and as many bytes; a view. */
  string (): Uint8Array {
    return this.take(this.u32())
  }

  /** A string that names something: printable ASCII is all that such names have. */
  name (): string {
    return Buffer.from(this.string()).toString('latin1')
  }

  /** A string that must have exactly `length` bytes. */
  exactly (length: number, what: string): Uint8Array {
    const bytes = this.string()
    if (bytes.length !== length) throw this.#fault(`${what} has ${bytes.length} bytes instead of ${length}`)
    return bytes
  }

  rest (): Uint8Array {
    return this.take(this.#bytes.length - this.#at)
  }

  end (): void {
    if (this.#at !== this.#bytes.length) throw this.#fault('there are bytes behind its end')
  }
}

export function sshU32 (value: number): Uint8Array {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(value)
  return out
}

export function sshString (bytes: Uint8Array): Uint8Array {
  return concatBytes(sshU32(bytes.length), bytes)
}
