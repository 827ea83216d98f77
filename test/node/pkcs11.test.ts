/** Keys in a token: SoftHSM2, through its PKCS#11 module. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSigner } from '../../src/node/keys/open-signer.js'
import type { OpenedSigner } from '../../src/node/keys/signer.js'
import { utf8 } from '../../src/substrate/bytes.js'
import { DiadError } from '../../src/substrate/errors.js'
import type { PublicKey } from '../../src/substrate/reference.js'
import { nobleVerifier } from '../../src/substrate/verifier.js'
import { codeOf } from '../helpers/code-of.js'
import { hasPackage, NO_TOKEN, PIN, SOFTHSM, Tokens } from '../helpers/softhsm.js'

const GIVEN = { kind: 'given', passphrase: PIN } as const
const MESSAGE = utf8('DSSEv1 something')

let dir: string
const opened: OpenedSigner[] = []
const before = process.env['SOFTHSM2_CONF']
beforeAll(() => { dir = mkdtempSync(join(tmpdir(), 'diad-token-')) })
afterAll(() => {
  for (const signer of opened) signer.close()
  if (before === undefined) delete process.env['SOFTHSM2_CONF']
  else process.env['SOFTHSM2_CONF'] = before
  rmSync(dir, { recursive: true, force: true })
})

/** Its code; the PIN stands nowhere in it. */
const refusal = (work: Promise<unknown>): Promise<string> => codeOf(work, PIN)

async function open (query: string, source: Parameters<typeof openSigner>[1] = GIVEN, options: Parameters<typeof openSigner>[2] = {}): Promise<OpenedSigner> {
  const signer = await openSigner(`pkcs11:${SOFTHSM}${query}`, source, options)
  opened.push(signer)
  return signer
}

it.skipIf(hasPackage())('without its package it says how to get it', async () => {
  expect(await refusal(openSigner('pkcs11:/usr/lib/any.so', GIVEN))).toBe('token-package')
})

describe.skipIf(NO_TOKEN !== undefined)('a token', () => {
  const keys = new Map<string, string>()
  beforeAll(() => {
    const tokens = new Tokens(dir)
    process.env['SOFTHSM2_CONF'] = tokens.env.SOFTHSM2_CONF
    tokens.token('one')
    tokens.token('two keys')
    keys.set('only', tokens.key('one', 'only'))
    keys.set('a', tokens.key('two keys', 'a', '0a'))
    keys.set('b', tokens.key('two keys', 'b & c', '0b', true))
  })

  const signs = async (signer: OpenedSigner, key: string): Promise<void> => {
    expect(signer.publicKey).toBe(keys.get(key))
    for (let i = 0; i < 3; i++) expect(nobleVerifier.verify(signer.publicKey, MESSAGE, await signer.sign(MESSAGE))).toBe(true)
  }

  it('signs with its one key, and with many calls at once', async () => {
    const signer = await open('?token=one')
    await signs(signer, 'only')
    const messages = Array.from({ length: 20 }, (_, i) => utf8(`message ${i}`))
    const signatures = await Promise.all(messages.map(async (m) => await signer.sign(m)))
    expect(messages.every((m, i) => nobleVerifier.verify(signer.publicKey, m, signatures[i] as Uint8Array))).toBe(true)
    signer.close()
    expect(await refusal(signer.sign(MESSAGE))).toBe('token-failed')
  })

  it('signs with one of several, also where the key wants the PIN each time', async () => {
    const [a, b] = await Promise.all([open('?token=two%20keys&object=a'), open('?token=two%20keys&object=b%20%26%20c')])
    await Promise.all([signs(a, 'a'), signs(b, 'b')])
  })

  it('has to be named, and its key, where there are several', async () => {
    expect(await Promise.all(['', '?token=three', '?token=two%20keys', '?token=one&object=other'].map(async (query) => await refusal(open(query)))))
      .toEqual(['token-ambiguous', 'token-missing', 'key-ambiguous', 'key-missing'])
  })

  it('refuses a wrong PIN, and is never tried with what can\'t be one', async () => {
    const given = ['4711-pan', '123', 'x'.repeat(300)].map((passphrase) => ({ kind: 'given', passphrase }) as const)
    expect(await Promise.all([...given, { kind: 'none' } as const].map(async (source) => await refusal(open('?token=one', source)))))
      .toEqual(['wrong-passphrase', 'wrong-passphrase', 'wrong-passphrase', 'passphrase-needed'])
    writeFileSync(join(dir, 'pin'), PIN + '\n')
    await signs(await open('?token=one', { kind: 'file', path: join(dir, 'pin') }), 'only')
  })

  it('has to hold the expected key', async () => {
    const expected = keys.get('a') as PublicKey
    expect(await Promise.all(['?token=two%20keys&object=a', '?token=one'].map(async (query) => await refusal(open(query, GIVEN, { expected }))))).toEqual(['none', 'key-mismatch'])
  })

  it('is let go of when the command is interrupted', async () => {
    const stop = new AbortController()
    const opening = open('?token=one', GIVEN, { signal: stop.signal })
    stop.abort(new DiadError('interrupted', 'interrupted', 'again'))
    expect(await refusal(opening)).toBe('interrupted')
  })

  it('needs a module that is one', async () => {
    writeFileSync(join(dir, 'text.so'), 'hello')
    expect(await Promise.all(['none.so', 'text.so'].map(async (module) => await refusal(openSigner(`pkcs11:${join(dir, module)}`, GIVEN))))).toEqual(['token-module', 'token-module'])
  })
})
