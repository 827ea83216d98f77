/**
 * Ed25519 keys at rest: PKCS#8 PEM, inside an age file with a passphrase (`NAME.key.age`) or bare (`NAME.key`), and the public key as hex in
 * `NAME.pub`. age, because it is authenticated: of PKCS#8's own encryption a flipped bit can load another valid key without a word (measured: 16 of
 * 158 bytes). Standard tools open both: `age -d FILE | openssl pkey -text`. Losing a file loses the key: RULES N2. Read, but never written, are
 * age files by other names, such as `age -p` makes (with `-a` too), and OpenSSH's own key files (openssh-key.ts).
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { closeSync, existsSync, fstatSync, openSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { armor, Decrypter, Encrypter } from 'age-encryption'
import { DiadError } from '../../substrate/errors.js'
import type { PublicKey } from '../../substrate/reference.js'
import type { Signer } from '../../substrate/signature.js'
import { createFile, errorCode } from '../home/atomic-file.js'
import { makeDirectory } from '../home/make-directory.js'
import { isDirectoryFault, missingFault, refusePublicHalf } from './key-hints.js'
import { isOpenSshKey, readOpenSshKey } from './openssh-key.js'
import { choosePassphrase, type PassphraseSource, readPassphrases } from './passphrase.js'
import { createSigner, publicKeyOf } from './signer.js'

/** log2 of scrypt's N: 0.6 s and 128 MiB for a guess on the machine this was measured on. */
const SCRYPT_WORK_FACTOR = 17
/** Key files have about 120 bytes bare and 290 in age; anything far above is something else. */
const MAX_FILE_BYTES = 64 * 1024
const BARE = '.key'
const ENCRYPTED = '.key.age'
const PUBLIC = '.pub'
/** How age files begin, binary and as text. */
const AGE = 'age-encryption.org/'
const AGE_TEXT = '-----BEGIN AGE ENCRYPTED FILE-----'

/** bytes of an Ed25519 key in PKCS#8; divisible by 3, and one line of base64 */
const DER_BYTES = 48
const PEM_BEGIN = '-----BEGIN PRIVATE KEY-----\n'
const PEM_END = '\n-----END PRIVATE KEY-----\n'
const PEM_LINES = PEM_BEGIN + PEM_END
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

export interface NewKey {
  /** Made if it is missing, mode 0700. */
  readonly directory: string
  /** File name without suffix: letters, digits, `.`, `_`, `-`. */
  readonly name: string
  /** `none` leaves the key unencrypted. */
  readonly passphrase: PassphraseSource
  /** log2 of scrypt's N, {@link SCRYPT_WORK_FACTOR} if not given. */
  readonly workFactor?: number
  /** told of a passphrase that is too short */
  readonly warn?: (line: string) => void
}

export interface KeyRecord {
  readonly path: string
  readonly publicKey: PublicKey
}

export interface LoadedKey extends KeyRecord {
  readonly signer: Signer
  /** For those that need the key itself, such as the libp2p host. */
  readonly privateKey: KeyObject
}

/**
 * Makes a key and writes it, mode 0600, durable on return. Never over an existing file. Throws DiadError `key-exists`, `key-name`, `unwritable`, and what
 * `choosePassphrase` throws.
 */
export async function createKeyFile (init: NewKey): Promise<KeyRecord> {
  const { directory, name } = init
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw new DiadError('key-name', `"${name}" can't be the name of a key file`, 'use letters, digits, dot, dash and underscore')
  }
  for (const suffix of [BARE, ENCRYPTED, PUBLIC]) refuseExisting(join(directory, name + suffix))
  const passphrase = await choosePassphrase(init.passphrase, name, init.warn)

  const privateKey = generateKeyPairSync('ed25519').privateKey
  const publicKey = publicKeyOf(privateKey)
  const pem = pemOf(privateKey)
  let data = pem
  if (passphrase !== undefined) {
    const age = new Encrypter()
    age.setPassphrase(passphrase)
    age.setScryptWorkFactor(init.workFactor ?? SCRYPT_WORK_FACTOR)
    data = await age.encrypt(pem).finally(() => pem.fill(0))
  }
  makeDirectory(directory)
  const path = join(directory, name + (passphrase === undefined ? BARE : ENCRYPTED))
  // The public key first: cut off in between there is no key without a record to check it against.
  const record = join(directory, name + PUBLIC)
  createOnce(record, publicKey + '\n', 0o644)
  try {
    createOnce(path, data, 0o600)
  } catch (err) {
    rmSync(record, { force: true })
    throw err
  } finally {
    pem.fill(0)
  }
  return { path, publicKey }
}

/** PKCS#8 PEM as bytes, without a text of it on the way: a text stays in memory until the collector comes by. */
function pemOf (key: KeyObject): Uint8Array {
  const der = key.export({ format: 'der', type: 'pkcs8' })
  const pem = new Uint8Array(PEM_LINES.length + DER_BYTES / 3 * 4)
  const out = Buffer.from(pem.buffer)
  try {
    if (der.length !== DER_BYTES) throw new Error(`an Ed25519 key of ${der.length} bytes`)
    const head = out.write(PEM_BEGIN, 'latin1')
    for (let i = 0; i < DER_BYTES; i += 3) {
      const three = der.readUIntBE(i, 3)
      for (let j = 0; j < 4; j++) out[head + i / 3 * 4 + j] = BASE64.charCodeAt(three >> 18 - 6 * j & 63)
    }
    out.write(PEM_END, head + DER_BYTES / 3 * 4, 'latin1')
    return pem
  } finally {
    der.fill(0)
  }
}

/** The key file called `name`, encrypted or bare, or undefined. Throws DiadError `key-ambiguous` when both are there. */
export function findKeyFile (directory: string, name: string): string | undefined {
  const found = [ENCRYPTED, BARE].map((suffix) => join(directory, name + suffix)).filter((path) => existsSync(path))
  if (found.length > 1) {
    throw new DiadError('key-ambiguous', `${directory} has ${name}${ENCRYPTED} and ${name}${BARE}`, 'move one of the two away')
  }
  return found[0]
}

/** The recorded public key of a key file, without opening it. Throws DiadError `key-unrecorded` or `key-damaged`. */
export function recordedPublicKey (path: string): PublicKey {
  const record = recordPath(path)
  let text: string
  try {
    text = readFileSync(record, 'utf8')
  } catch (err) {
    throw new DiadError('key-unrecorded', `${record} can't be read, so nothing says which key ${basename(path)} should hold`,
      'put the public key there: 64 hex digits, as any manifest or root set that lists it shows: `diad role list --json` (publicKey, rootKey) and `diad root show --json` (root_keys)', { cause: err })
  }
  if (!/^[0-9a-f]{64}\r?\n?$/.test(text)) throw new DiadError('key-damaged', `${record} doesn't hold a public key (64 hex digits)`, 'restore it from a backup')
  return text.slice(0, 64) as PublicKey
}

/**
 * Opens a key file. What comes out must be the recorded key: the one in `NAME.pub`, or `expected` where the caller knows it from a manifest; an
 * OpenSSH key file holds its record itself. Throws DiadError `key-missing`, `key-unreadable`, `key-mode`, `key-damaged`, `key-type`,
 * `key-unrecorded`, `bad-key-spec` (a public half), `wrong-passphrase`, and what `readPassphrases` throws.
 */
export async function loadKey (path: string, source: PassphraseSource, options: { readonly expected?: PublicKey } = {}): Promise<LoadedKey> {
  const stored = readPrivate(path)
  let secret = stored
  try {
    const own = isOpenSshKey(stored)
    const expected = options.expected ?? (own ? undefined : recordedPublicKey(path))
    if (isEncrypted(path, stored)) secret = await decrypt(path, stored, source)
    const privateKey = own ? readOpenSshKey(path, stored, (why) => damaged(path, why)) : readPem(path, secret)
    const publicKey = publicKeyOf(privateKey)
    if (expected !== undefined && publicKey !== expected) throw damaged(path, `it holds the key ${publicKey} where ${expected} is recorded`)
    return { path, publicKey, privateKey, signer: createSigner(privateKey) }
  } finally {
    stored.fill(0)
    secret.fill(0)
  }
}

function readPem (path: string, pem: Uint8Array): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey({ key: Buffer.from(pem.buffer, pem.byteOffset, pem.length), format: 'pem' })
  } catch (err) {
    throw damaged(path, 'it holds no PKCS#8 key', err)
  }
  if (key.asymmetricKeyType !== 'ed25519') throw damaged(path, `it holds a key of type ${key.asymmetricKeyType ?? 'unknown'}, not Ed25519`)
  return key
}

function isEncrypted (path: string, stored: Uint8Array): boolean {
  return path.endsWith(ENCRYPTED) || [AGE, AGE_TEXT].some((begin) => startsWith(stored, begin))
}

function startsWith (stored: Uint8Array, text: string): boolean {
  return Buffer.from(stored.buffer, stored.byteOffset, stored.length).subarray(0, text.length).toString('latin1') === text
}

function recordPath (path: string): string {
  for (const suffix of [ENCRYPTED, BARE]) if (path.endsWith(suffix)) return path.slice(0, -suffix.length) + PUBLIC
  return path + PUBLIC
}

/** The bytes of a file that only its owner can read. Looks at the open file, so that nobody can put another one there in between. */
function readPrivate (path: string): Uint8Array {
  refusePublicHalf(path)
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (err) {
    if (errorCode(err) === 'ENOENT') throw missingFault(path, err)
    throw new DiadError('key-unreadable', `the key file ${path} can't be opened`, 'check its owner and permissions', { cause: err })
  }
  try {
    const info = fstatSync(fd)
    if (info.isDirectory()) throw isDirectoryFault(path)
    if (!info.isFile() || info.size > MAX_FILE_BYTES) throw damaged(path, 'it is not a key file')
    const open = info.mode & 0o077
    if (process.platform !== 'win32' && open !== 0) {
      throw new DiadError('key-mode', `others can read or change the key file ${path} (mode ${(info.mode & 0o777).toString(8).padStart(4, '0')})`,
        `chmod 600 ${path}   (on a stick without permissions: mount it with -o uid=$(id -u),umask=077)`)
    }
    // A buffer of its own, since it will be wiped.
    return readFileSync(fd)
  } finally {
    closeSync(fd)
  }
}

async function decrypt (path: string, stored: Uint8Array, source: PassphraseSource): Promise<Uint8Array> {
  const passphrases = await readPassphrases(source, path)
  if (passphrases.length === 0) {
    throw new DiadError('passphrase-needed', `${path} is encrypted and no passphrase was given`, 'put it on the first line of a file and name that with --passphrase-file, or let it be asked on the terminal')
  }
  const age = new Decrypter()
  for (const passphrase of passphrases) age.addPassphrase(passphrase)
  try {
    return await age.decrypt(startsWith(stored, AGE_TEXT) ? armor.decode(Buffer.from(stored).toString('latin1')) : new Uint8Array(stored))
  } catch (err) {
    // The library has no error classes. A changed byte in the part that the passphrase opens looks just like a wrong passphrase.
    if (err instanceof Error && err.message.startsWith('no identity matched')) {
      throw new DiadError('wrong-passphrase', `${passphrases.length > 1 ? `none of the ${passphrases.length} passphrases opens` : 'the passphrase doesn\'t open'} ${path}`,
        source.kind === 'file' ? 'it may have another one: name the file of that too, --passphrase-file may be repeated' : 'try again; a key file may have another passphrase than those beside it', { cause: err })
    }
    throw damaged(path, 'it is not an intact age file', err)
  }
}

function refuseExisting (path: string): void {
  if (existsSync(path)) {
    throw new DiadError('key-exists', `${path} exists already, and keys are never overwritten`, 'move it away first, if it really isn\'t needed')
  }
}

function createOnce (path: string, data: Uint8Array | string, mode: number): void {
  try {
    createFile(path, data, mode)
  } catch (err) {
    if (errorCode(err) === 'EEXIST') refuseExisting(path)
    throw err
  }
}

function damaged (path: string, why: string, cause?: unknown): DiadError {
  return new DiadError('key-damaged', `the key file ${path} is damaged: ${why}`, 'restore it from a backup', { cause })
}
