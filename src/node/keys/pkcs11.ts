/**
 * Keys in a token (smartcard, HSM, SoftHSM) behind a PKCS#11 module: raw Ed25519 (CKM_EDDSA). The key never leaves the token; pkcs11-child.ts talks
 * to it. A PIN is tried once and never again by itself: tokens lock after a few wrong ones.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { fromHex, toHex } from '../../substrate/bytes.js'
import { DiadError } from '../../substrate/errors.js'
import type { PublicKey } from '../../substrate/reference.js'
import type { KeySpec } from './key-spec.js'
import type { OpenedSigner } from './signer.js'
import { type PassphraseSource, readPassphrase } from './passphrase.js'
import { PKCS11_PACKAGE, type TokenAnswer, type TokenCall, type TokenCalls, type TokenFault } from './pkcs11-calls.js'
import { verifiedSigner } from './signer.js'

/** Run from its source the child needs what runs this; built, it needs nothing. */
const SOURCE = import.meta.url.endsWith('.ts')
const CHILD = fileURLToPath(new URL(SOURCE ? 'pkcs11-child.ts' : 'pkcs11-child.js', import.meta.url))
/** A card in a slow reader takes seconds to be found. */
const OPEN_MS = 30_000
/** People type at PIN pads, and touch tokens. */
const PERSON_MS = 120_000
/** The raw 32 bytes of an Ed25519 key in CKA_EC_POINT: in an OCTET STRING (PKCS#11 3.0), in a BIT STRING (3.1's examples), or bare. */
const POINT = /^(?:0420|032100)?([0-9a-f]{64})$/

export type TokenSpec = Extract<KeySpec, { kind: 'pkcs11' }>

export interface TokenOptions {
  readonly signal?: AbortSignal
}

/** Children of signers that nobody closed and nobody uses any more. */
const forgotten = new FinalizationRegistry<TokenProcess>((process) => process.close())

/**
 * Opens the token's key. Throws DiadError `token-package` (pkcs11js isn't installed), `token-module`, `token-missing`, `token-ambiguous`, `token-locked`,
 * `token-refused`, `token-failed`, `key-missing`, `key-ambiguous`, `key-type`, `wrong-passphrase`, `passphrase-needed`, `interrupted`. `sign` throws
 * `signer-lied` and the last of the token's.
 */
export async function openToken (spec: TokenSpec, passphrase: PassphraseSource, options: TokenOptions = {}): Promise<OpenedSigner> {
  options.signal?.throwIfAborted()
  const process = new TokenProcess(spec, options.signal)
  try {
    const token = await process.ask('open', { module: spec.module, ...(spec.token === undefined ? {} : { token: spec.token }) }, OPEN_MS)
    const pin = token.login === 'pin' ? await pinFor(token, passphrase) : undefined
    const { point } = await process.ask('key', {
      login: token.login !== 'none',
      ...(pin === undefined ? {} : { pin }),
      ...(spec.object === undefined ? {} : { object: spec.object })
    }, PERSON_MS)
    const publicKey = POINT.exec(point)?.[1]
    if (publicKey === undefined) throw new DiadError('key-type', `the key in the token "${token.label}" isn't Ed25519`, 'make one of that type in the token')
    const signer = verifiedSigner(publicKey as PublicKey, `the token "${token.label}"`, async (message) =>
      fromHex((await process.ask('sign', { message: toHex(message) }, PERSON_MS)).signature))
    const opened = { ...signer, close: () => process.close() }
    forgotten.register(opened, process)
    return opened
  } catch (err) {
    process.close()
    throw err
  }
}

async function pinFor ({ label, minPin, maxPin }: TokenCalls['open']['answer'], source: PassphraseSource): Promise<string> {
  const pin = await readPassphrase(source, `the token "${label}" (its PIN)`)
  if (pin === undefined) {
    throw new DiadError('passphrase-needed', `the token "${label}" wants its PIN and none was given`, 'put the PIN on the first line of a file and name that with --passphrase-file, or let it be asked on the terminal')
  }
  const length = Buffer.byteLength(pin)
  // Not tried at all: what is meant for a key file mustn't cost one of the token's few tries. 0 is a module that doesn't say.
  if (length < minPin || (maxPin > 0 && length > maxPin)) {
    throw new DiadError('wrong-passphrase', `a PIN of the token "${label}" has ${minPin} to ${maxPin} bytes`, 'it was not tried; give the token\'s PIN')
  }
  return pin
}

/** The process beside us that has the token's session. It keeps nobody alive while it has nothing to do. */
class TokenProcess {
  readonly #child: ChildProcess
  readonly #spec: TokenSpec
  readonly #signal: AbortSignal | undefined
  #last: Promise<unknown> = Promise.resolve()
  #pending: ((result: TokenAnswer | Error) => void) | undefined
  #closed: DiadError | undefined

  constructor (spec: TokenSpec, signal: AbortSignal | undefined) {
    this.#spec = spec
    this.#signal = signal
    this.#child = fork(CHILD, [], { execArgv: SOURCE ? ['--import', 'tsx'] : [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    this.#child.on('message', (answer) => this.#pending?.(answer as TokenAnswer))
    this.#child.on('error', (err) => this.#end(failed(`its process can't be used: ${err.message}`)))
    this.#child.on('exit', (code, killed) => this.#end(failed(`the module ${spec.module} ended its process (${killed ?? code ?? 'unknown'})`)))
    this.#idle()
  }

  /** One call after the other. */
  async ask<C extends keyof TokenCalls> (call: C, args: TokenCalls[C]['ask'], limitMs: number): Promise<TokenCalls[C]['answer']> {
    const run = async (): Promise<TokenCalls[C]['answer']> => await this.#ask({ call, ...args } as unknown as TokenCall, limitMs) as TokenCalls[C]['answer']
    const mine = this.#last.then(run, run)
    this.#last = mine
    return await mine
  }

  close (): void {
    this.#end(failed('it was closed'))
  }

  async #ask (asked: TokenCall, limitMs: number): Promise<object> {
    if (this.#closed !== undefined) throw this.#closed
    this.#child.ref()
    this.#child.channel?.ref()
    const stop = (): void => this.#end(this.#signal?.reason instanceof DiadError ? this.#signal.reason : new DiadError('interrupted', 'interrupted'))
    const timer = setTimeout(() => this.#end(failed(`it didn't answer within ${limitMs / 1000} s`)), limitMs)
    this.#signal?.addEventListener('abort', stop, { once: true })
    try {
      const answer = await new Promise<TokenAnswer>((resolve, reject) => {
        this.#pending = (result) => {
          if (result instanceof Error) reject(result)
          else resolve(result)
        }
        // Its failure shows in 'error' or 'exit'.
        this.#child.send(asked, () => undefined)
      })
      if ('ok' in answer) return answer.ok
      throw errorOf(answer, this.#spec)
    } finally {
      clearTimeout(timer)
      this.#signal?.removeEventListener('abort', stop)
      this.#pending = undefined
      this.#idle()
    }
  }

  #idle (): void {
    this.#child.unref()
    this.#child.channel?.unref()
  }

  #end (why: DiadError): void {
    this.#closed ??= why
    this.#pending?.(why)
    // A call into the module can hang, and then nothing less ends it.
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL')
  }
}

function failed (why: string): DiadError {
  return new DiadError('token-failed', `the token can't be used: ${why}`, 'see what its own tools say (`pkcs11-tool --list-objects`), then try again')
}

/** The token's word for it as ours. */
function errorOf ({ fault, text }: TokenFault, spec: TokenSpec): DiadError {
  switch (fault) {
    case 'package':
      return new DiadError('token-package', `keys in tokens need the package ${PKCS11_PACKAGE}, which isn't installed here: ${text}`,
        `npm install ${PKCS11_PACKAGE} beside diad (with -g if diad was installed so); it is compiled on the spot: a C++ compiler, make and Python have to be there`)
    case 'module': return new DiadError('token-module', `the PKCS#11 module ${spec.module} can't be loaded: ${text}`, 'check its path, and what it needs in the environment')
    case 'no-token': return new DiadError('token-missing', `the module ${spec.module} sees ${text}`, 'is the token plugged in? Its label stands behind ?token=')
    case 'many-tokens': return new DiadError('token-ambiguous', `the module ${spec.module} sees ${text}`, 'name one: ?token=LABEL')
    case 'no-key': return new DiadError('key-missing', `the token has ${text} (only Ed25519 counts)`, 'its label stands behind &object=')
    case 'many-keys': return new DiadError('key-ambiguous', `the token has ${text}`, 'name one: &object=LABEL')
    case 'no-point': return new DiadError('key-missing', text, 'put the public key into the token beside the private one, with the same CKA_ID')
    case 'CKR_PIN_INCORRECT':
    case 'CKR_PIN_INVALID':
    case 'CKR_PIN_LEN_RANGE':
      return new DiadError('wrong-passphrase', 'the PIN doesn\'t open the token', 'mind that a token locks itself after a few wrong ones')
    case 'CKR_PIN_LOCKED': return new DiadError('token-locked', 'the token has locked itself after too many wrong PINs', 'its own tools unlock it, with the SO-PIN or PUK')
    case 'CKR_FUNCTION_CANCELED':
    case 'CKR_FUNCTION_REJECTED': return new DiadError('token-refused', 'the token refused: nobody confirmed', 'try again and confirm')
    default: return failed(text)
  }
}
