/** What the process that talks to a token is asked, and what it answers. One question at a time. Bytes cross as hex. */

/** How to get the package that isn't installed with the others: it compiles when it is installed, and few need it. */
export const PKCS11_PACKAGE = 'pkcs11js@2.1.7'

export interface TokenCalls {
  /** Loads the module and opens a session with the one token that `token` means. Without a label there may be only one. */
  open: { ask: { module: string, token?: string }, answer: { label: string, login: 'none' | 'pin' | 'pad', minPin: number, maxPin: number } }
  /** Logs in (`pin` only where it is asked for) and finds the key. `point` is its CKA_EC_POINT. */
  key: { ask: { pin?: string, login: boolean, object?: string }, answer: { point: string } }
  sign: { ask: { message: string }, answer: { signature: string } }
}

export type TokenCall = { [C in keyof TokenCalls]: { call: C } & TokenCalls[C]['ask'] }[keyof TokenCalls]

/**
 * What went wrong: `package` (pkcs11js isn't there), `module`, `no-token`, `many-tokens`, `no-key`, `many-keys`, `no-point`, or the CKR_… that the
 * module returned. `text` is for people.
 */
export interface TokenFault { readonly fault: string, readonly text: string }

export type TokenAnswer = { readonly ok: object } | TokenFault
