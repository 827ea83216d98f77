/**
 * The two kinds of failure below the faces: bytes that are not what they should be (`MalformedError`, always the bytes' fault), and a request
 * that cannot be carried out (`DiadError`, with a stable code and a hint for the person). Verdicts are data, never exceptions.
 */

/** A failure with a stable machine-readable code. `hint` says what the person can do about it. */
export class DiadError extends Error {
  override readonly name: string = 'DiadError'
  /** more that was found wrong at once, a line each */
  readonly more: readonly string[]
  constructor (readonly code: string, message: string, readonly hint = '', options?: ErrorOptions & { readonly more?: readonly string[] }) {
    super(message, options)
    this.more = options?.more ?? []
  }
}

/** Thrown when bytes break their declared shape. `code` is always `malformed`; the message says where. */
export class MalformedError extends DiadError {
  override readonly name = 'MalformedError'
  constructor (message: string, options?: ErrorOptions) {
    super('malformed', message, '', options)
  }
}
