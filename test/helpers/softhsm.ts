/** SoftHSM2, a token in software, for tests: tokens in a directory of their own, keys made in them by the package that the signer uses. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const MODULES = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so', '/usr/lib/pkcs11/libsofthsm2.so', '/opt/homebrew/lib/softhsm/libsofthsm2.so']
export const SOFTHSM = MODULES.find((path) => existsSync(path)) ?? ''

/** Why tests with a token can't run here; said once, where they are skipped. */
export const NO_TOKEN = missing()
if (NO_TOKEN !== undefined) console.log(`skipped: ${NO_TOKEN}`)

function missing (): string | undefined {
  if (SOFTHSM === '' || spawnSync('softhsm2-util', ['--version']).status !== 0) return 'SoftHSM2 isn\'t installed (Debian: softhsm2)'
  return hasPackage() ? undefined : 'the optional package pkcs11js isn\'t installed'
}

export function hasPackage (): boolean {
  try {
    createRequire(import.meta.url)('pkcs11js')
    return true
  } catch {
    return false
  }
}

export const PIN = '4711-pin'

/** A process of its own: a PKCS#11 module can be initialised once in each, and reads its configuration then. */
const MAKE_KEY = `
const [module, token, pin, label, id, again] = process.argv.slice(1)
const { PKCS11 } = require('pkcs11js')
const p = new PKCS11()
p.load(module)
p.C_Initialize()
const slot = p.C_GetSlotList(true).find((s) => p.C_GetTokenInfo(s).label.trim() === token)
const session = p.C_OpenSession(slot, 6)
p.C_Login(session, 1, pin)
const attributes = [{ type: 1, value: true }, { type: 3, value: label }, { type: 0x102, value: Buffer.from(id, 'hex') }]
const keys = p.C_GenerateKeyPair(session, { mechanism: 0x1055, parameter: null },
  [...attributes, { type: 0x10a, value: true }, { type: 0x180, value: Buffer.from('06032b6570', 'hex') }],
  [...attributes, { type: 0x108, value: true }, { type: 2, value: true }, { type: 0x103, value: true }, ...again === 'again' ? [{ type: 0x202, value: true }] : []])
console.log(p.C_GetAttributeValue(session, keys.publicKey, [{ type: 0x181 }])[0].value.toString('hex').slice(-64))
p.C_Finalize()
`

export class Tokens {
  readonly #dir: string
  /** for whoever is to see these tokens */
  readonly env: { SOFTHSM2_CONF: string }

  constructor (dir: string) {
    this.#dir = dir
    mkdirSync(join(dir, 'tokens'), { recursive: true })
    this.env = { SOFTHSM2_CONF: join(dir, 'softhsm2.conf') }
    writeFileSync(this.env.SOFTHSM2_CONF, `directories.tokendir = ${join(dir, 'tokens')}\nlog.level = ERROR\n`)
  }

  token (label: string): void {
    execFileSync('softhsm2-util', ['--init-token', '--free', '--label', label, '--so-pin', '12345678', '--pin', PIN], { env: { ...process.env, ...this.env }, stdio: 'pipe' })
  }

  /** Makes an Ed25519 key; its public half in hex. `again`: it wants the PIN before each signature. */
  key (token: string, label: string, id = '01', again = false): string {
    const words = ['-e', MAKE_KEY, SOFTHSM, token, PIN, label, id, ...again ? ['again'] : []]
    return execFileSync(process.execPath, words, { cwd: import.meta.dirname, env: { ...process.env, ...this.env }, encoding: 'utf8' }).trim()
  }

  pinFile (pin = PIN): string {
    const path = join(this.#dir, 'pin')
    writeFileSync(path, pin + '\n', { mode: 0o600 })
    return path
  }
}
