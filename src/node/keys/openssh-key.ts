/**
 * OpenSSH's own private key files (`-----BEGIN OPENSSH PRIVATE KEY-----`), read only: an unencrypted Ed25519 key in OpenSSH's PROTOCOL.key layout.
 * Encrypted ones are OpenSSH's business: bcrypt would be another package here, and ssh-agent opens them.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { concatBytes, equalBytes, fromHex, utf8 } from '../../substrate/bytes.js'
import { DiadError } from '../../substrate/errors.js'
import { publicKeyOf } from './signer.js'
import { KEY_BYTES, SSH_ED25519, SshReader } from './ssh-wire.js'

const BEGIN = '-----BEGIN OPENSSH PRIVATE KEY-----'
const END = '-----END OPENSSH PRIVATE KEY-----'
const MAGIC = utf8('openssh-key-v1\0')
/** What stands before the 32 bytes of the key in its PKCS#8 form. */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')

export function isOpenSshKey (file: Uint8Array): boolean {
  return equalBytes(file.subarray(0, BEGIN.length), utf8(BEGIN))
}

/** The key in a file that `isOpenSshKey`. Throws what `fault` makes of a reason, and DiadError `key-type` for keys that only others can open. */
export function readOpenSshKey (path: string, file: Uint8Array, fault: (why: string) => Error): KeyObject {
  const text = Buffer.from(file.buffer, file.byteOffset, file.length)
  const end = text.indexOf(END)
  if (end < 0 || text.subarray(end + END.length).toString('latin1').trim() !== '') throw fault('its end is missing')
  const body = unarmour(text.subarray(BEGIN.length, end), fault)
  let pkcs8: Uint8Array | undefined
  try {
    const r = new SshReader(body, fault)
    if (!equalBytes(r.take(MAGIC.length), MAGIC)) throw fault('it is no OpenSSH key')
    const cipher = r.name()
    const kdf = r.name()
    r.string()
    if (cipher !== 'none' || kdf !== 'none') {
      throw new DiadError('key-type', `${path} is an OpenSSH key with a passphrase, which only OpenSSH opens`, `ssh-add ${path}, then --key agent:`)
    }
    if (r.u32() !== 1) throw fault('it holds more than one key')
    const outer = new SshReader(r.string(), fault)
    const secret = new SshReader(r.string(), fault)
    r.end()
    const type = outer.name()
    if (type !== SSH_ED25519) throw new DiadError('key-type', `${path} holds a key of type ${type}, not Ed25519`, 'make one with `ssh-keygen -t ed25519`')
    const publicKey = outer.exactly(KEY_BYTES, 'the public key')
    outer.end()
    if (secret.u32() !== secret.u32() || secret.name() !== SSH_ED25519) throw fault('its private part is garbled')
    const inner = secret.exactly(KEY_BYTES, 'the public key')
    // The seed and the public key once more.
    const pair = secret.exactly(2 * KEY_BYTES, 'the private key')
    secret.string()
    if (secret.rest().some((byte, i) => byte !== i + 1)) throw fault('its padding is wrong')
    pkcs8 = concatBytes(PKCS8_PREFIX, pair.subarray(0, KEY_BYTES))
    const key = createPrivateKey({ key: Buffer.from(pkcs8.buffer), format: 'der', type: 'pkcs8' })
    for (const copy of [publicKey, inner, pair.subarray(KEY_BYTES)]) {
      if (!equalBytes(copy, fromHex(publicKeyOf(key)))) throw fault('its public and its private key don\'t belong together')
    }
    return key
  } finally {
    body.fill(0)
    pkcs8?.fill(0)
  }
}

/** Decodes base64 without a text of it: texts can't be wiped. */
function unarmour (lines: Uint8Array, fault: (why: string) => Error): Uint8Array {
  const out = new Uint8Array(Math.floor(lines.length * 3 / 4))
  let length = 0
  let bits = 0
  let held = 0
  let padding = 0
  for (const c of lines) {
    if (c === 0x0a || c === 0x0d) continue
    if (c === 0x3d) {
      padding++
      continue
    }
    const value = c >= 0x41 && c <= 0x5a ? c - 0x41 : c >= 0x61 && c <= 0x7a ? c - 0x47 : c >= 0x30 && c <= 0x39 ? c + 4 : c === 0x2b ? 62 : c === 0x2f ? 63 : -1
    if (value < 0 || padding > 0) throw fault('its base64 is garbled')
    held = (held << 6 | value) & 0xfff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      out[length++] = held >> bits & 0xff
    }
  }
  if (padding > 2) throw fault('its base64 is garbled')
  return out.subarray(0, length)
}
