/**
 * The process that talks to a PKCS#11 module, started by pkcs11.ts. A process of its own, because a module is foreign machine code: its calls block
 * until somebody touches the token, C_Initialize is for a whole process, and what crashes here takes no node along.
 *
 * It writes nothing and ends when its parent does.
 */
import { createRequire } from 'node:module'
import type { TokenAnswer, TokenCall, TokenCalls } from './pkcs11-calls.js'

type Handle = Buffer
interface Attribute { type: number, value?: Buffer | number | string | boolean }

/** As much of pkcs11js as is used. The package isn't installed everywhere, so its types can't be imported. */
interface Cryptoki {
  load: (path: string) => void
  C_Initialize: () => void
  C_GetSlotList: (tokenPresent: boolean) => Handle[]
  C_GetTokenInfo: (slot: Handle) => { label: string, flags: number, minPinLen: number | bigint, maxPinLen: number | bigint }
  C_OpenSession: (slot: Handle, flags: number) => Handle
  C_Login: (session: Handle, user: number, pin?: string) => void
  C_FindObjectsInit: (session: Handle, template: Attribute[]) => void
  C_FindObjects: (session: Handle, max: number) => Handle[]
  C_FindObjectsFinal: (session: Handle) => void
  C_GetAttributeValue: (session: Handle, object: Handle, template: Attribute[]) => Array<{ value: Buffer }>
  C_SignInit: (session: Handle, mechanism: { mechanism: number, parameter: null }, key: Handle) => void
  C_Sign: (session: Handle, data: Buffer, out: Buffer) => Buffer
}

// PKCS#11 3.0, the names as they stand there.
const CKF_LOGIN_REQUIRED = 0x4
const CKF_PROTECTED_AUTHENTICATION_PATH = 0x100
const CKF_TOKEN_INITIALIZED = 0x400
const CKF_SERIAL_SESSION = 0x4
const CKU_USER = 1
const CKU_CONTEXT_SPECIFIC = 2
const CKO_PUBLIC_KEY = 2
const CKO_PRIVATE_KEY = 3
const CKK_EC_EDWARDS = 0x40
const CKM_EDDSA = 0x1057
const CKA = { class: 0, label: 3, keyType: 0x100, id: 0x102, ecPoint: 0x181, alwaysAuthenticate: 0x202 } as const
/** objects of one search; a token has a handful */
const MAX_OBJECTS = 256

class Fault extends Error {
  constructor (readonly fault: string, message: string) {
    super(message)
  }
}

let cryptoki: Cryptoki
let session: Handle
let key: Handle
/** asked for again before each signature, by the key's own wish */
let again: { pin: string | undefined } | undefined

const CALLS: { [C in keyof TokenCalls]: (ask: TokenCalls[C]['ask']) => TokenCalls[C]['answer'] } = {
  open ({ module, token }) {
    cryptoki = load(module)
    const tokens = cryptoki.C_GetSlotList(true).map((slot) => ({ slot, info: cryptoki.C_GetTokenInfo(slot) }))
      .filter(({ info }) => (info.flags & CKF_TOKEN_INITIALIZED) !== 0)
      .map(({ slot, info }) => ({ slot, info, label: info.label.replace(/[ \0]+$/, '') }))
    const { slot, info, label } = theOne(tokens.filter((t) => token === undefined || t.label === token), tokens.map((t) => t.label), 'token', token)
    session = cryptoki.C_OpenSession(slot, CKF_SERIAL_SESSION)
    const login = (info.flags & CKF_LOGIN_REQUIRED) === 0 ? 'none' : (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) === 0 ? 'pin' : 'pad'
    return { label, login, minPin: Number(info.minPinLen), maxPin: Number(info.maxPinLen) }
  },

  key ({ pin, login, object }) {
    if (login) logIn(CKU_USER, pin)
    const keys = find(CKO_PRIVATE_KEY).map((handle) => ({ handle, label: attribute(handle, CKA.label).toString('utf8') }))
    const found = theOne(keys.filter((k) => object === undefined || k.label === object), keys.map((k) => k.label), 'key', object)
    key = found.handle
    if (attribute(key, CKA.alwaysAuthenticate)[0] === 1) again = { pin }
    return { point: pointOf(found.label).toString('hex') }
  },

  sign ({ message }) {
    cryptoki.C_SignInit(session, { mechanism: CKM_EDDSA, parameter: null }, key)
    if (again !== undefined) logIn(CKU_CONTEXT_SPECIFIC, again.pin)
    return { signature: cryptoki.C_Sign(session, Buffer.from(message, 'hex'), Buffer.alloc(256)).toString('hex') }
  }
}

function load (module: string): Cryptoki {
  let made: Cryptoki
  try {
    const { PKCS11 } = createRequire(import.meta.url)('pkcs11js') as { PKCS11: new () => Cryptoki }
    made = new PKCS11()
  } catch (err) {
    throw new Fault('package', textOf(err))
  }
  try {
    made.load(module)
    made.C_Initialize()
  } catch (err) {
    throw new Fault('module', textOf(err))
  }
  return made
}

function logIn (user: number, pin: string | undefined): void {
  if (pin === undefined) cryptoki.C_Login(session, user)
  else cryptoki.C_Login(session, user, pin)
}

function theOne<T> (found: T[], all: string[], kind: 'token' | 'key', wanted: string | undefined): T {
  const [one] = found
  if (one !== undefined && found.length === 1) return one
  const names = all.slice(0, 8).map((label) => `"${label.slice(0, 64)}"`).join(', ') || 'none'
  const named = wanted === undefined ? '' : ` called "${wanted.slice(0, 64)}"`
  throw found.length === 0 ? new Fault(`no-${kind}`, `no ${kind}${named}; there is: ${names}`) : new Fault(`many-${kind}s`, `${found.length} ${kind}s${named}: ${names}`)
}

/** Keys on Edwards curves of one class. */
function find (objectClass: number): Handle[] {
  cryptoki.C_FindObjectsInit(session, [{ type: CKA.class, value: objectClass }, { type: CKA.keyType, value: CKK_EC_EDWARDS }])
  try {
    return cryptoki.C_FindObjects(session, MAX_OBJECTS)
  } finally {
    cryptoki.C_FindObjectsFinal(session)
  }
}

/** An attribute's value; empty where the object hasn't got it. */
function attribute (object: Handle, type: number): Buffer {
  try {
    return cryptoki.C_GetAttributeValue(session, object, [{ type }])[0]?.value ?? Buffer.alloc(0)
  } catch (err) {
    if (/CKR_ATTRIBUTE_(?:TYPE_INVALID|SENSITIVE)/.test(textOf(err))) return Buffer.alloc(0)
    throw err
  }
}

/** The public key stands in an object of its own, tied to the private one by CKA_ID or, where there is none, by the label. Some tokens have it in both. */
function pointOf (label: string): Buffer {
  const id = attribute(key, CKA.id)
  const half = find(CKO_PUBLIC_KEY).find((o) => id.length > 0 ? attribute(o, CKA.id).equals(id) : attribute(o, CKA.label).toString('utf8') === label)
  const point = attribute(half ?? key, CKA.ecPoint)
  if (point.length === 0) throw new Fault('no-point', `the token doesn't tell the public key of "${label.slice(0, 64)}"`)
  return point
}

function textOf (err: unknown): string {
  return err instanceof Error ? err.message.split('\n')[0] ?? '' : String(err)
}

function answer (asked: TokenCall): TokenAnswer {
  try {
    switch (asked.call) {
      case 'open': return { ok: CALLS.open(asked) }
      case 'key': return { ok: CALLS.key(asked) }
      case 'sign': return { ok: CALLS.sign(asked) }
    }
  } catch (err) {
    const text = textOf(err)
    return { fault: err instanceof Fault ? err.fault : /CKR_\w+/.exec(text)?.[0] ?? 'CKR_GENERAL_ERROR', text }
  }
}

process.on('message', (asked: TokenCall) => { process.send?.(answer(asked)) })
process.on('disconnect', () => process.exit())
// Ctrl-C at a terminal reaches the whole group; the parent decides when this ends.
process.on('SIGINT', () => undefined)
