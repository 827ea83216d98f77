/** The file that is carried from root key to root key, and what hostile ones come to. */
import { beforeAll, describe, expect, it } from 'vitest'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { draftGenesis } from '../../src/authority/mint.js'
import { certificateCodec } from '../../src/authority/certificate.js'
import { defaultPolicy } from '../../src/authority/policy.js'
import { type NewEntry, renewEntry, rootSetFrom, rotateEntry } from '../../src/authority/renew.js'
import { rootCommitment, rootEntryCodec } from '../../src/authority/root-entry.js'
import { rootSetCodec } from '../../src/authority/root-set.js'
import { artifactsOf, genesisRequest, isComplete, newRequest, openRequest, outstanding, requestText, signRequest, type SigningRequest } from '../../src/node/roots/signing-request.js'
import { type Artifact, encodeArtifact, referenceOfArtifact } from '../../src/substrate/artifact.js'
import type { Signer } from '../../src/substrate/signature.js'
import { signatureCodec } from '../../src/substrate/signature.js'
import { digestFrom, makeDomain, rootSetOf, signed, type TestDomain, type TestKey, testKey, testSigner } from '../helpers/authority-fixtures.js'
import { knowledgeOf } from '../helpers/lanes.js'

let d: TestDomain
let k: DomainKnowledge
let made: NewEntry
let request: SigningRequest
let good: string

const b64 = (a: Artifact): string => Buffer.from(encodeArtifact(a)).toString('base64')
const root = (i: number): TestKey => d.roots().keys[i] as TestKey
const signer = (i: number): Signer => testSigner(root(i))
type File = { artifacts: string[], signatures: string[], summary: string[], root_keys: string[] } & Record<string, unknown>
const changed = (change: (f: File) => void): string => {
  const f = JSON.parse(good) as File
  change(f)
  return JSON.stringify(f)
}
const refusal = (text: string): { code: string, message: string } => {
  try {
    openRequest(text)
  } catch (err) {
    return { code: (err as { code: string }).code, message: (err as Error).message }
  }
  return { code: 'none', message: '' }
}

beforeAll(() => {
  d = makeDomain({ roots: 3, threshold: 2 })
  d.manifest({ principals: [...d.principals(), { key: testKey('bot'), roles: ['produce'], prefixes: ['ci'] }] })
  k = new DomainKnowledge(d.domain)
  for (const { artifact } of d.items) k.admit(artifact)
  made = renewEntry(k, { rootKey: testKey('new root_key').publicKey })
  request = newRequest(k, made)
  good = requestText(request)
})

describe('from hand to hand', () => {
  it('is the same file after reading, and complete when the threshold has signed', async () => {
    let file = good
    expect(requestText(openRequest(file))).toBe(file)
    for (const i of [2, 0]) {
      expect(isComplete(openRequest(file))).toBe(false)
      file = requestText(await signRequest(openRequest(file), signer(i)))
    }
    const done = openRequest(file)
    expect([isComplete(done), outstanding(done)]).toEqual([true, [root(1).publicKey]])
    const judge = new DomainKnowledge(d.domain)
    for (const a of artifactsOf(done)) judge.admit(a)
    expect(judge.authority().rootChain.entries.at(-1)?.ref).toBe(made.ref)
  })

  it.each<[string, () => Promise<unknown>, string]>([
    ['a key outside of the set', async () => signRequest(request, testSigner(testKey('stranger'))), 'not-a-signer'],
    ['the next root key, for a renewal', async () => signRequest(request, testSigner(d.nextRoots(d.domain).keys[0] as TestKey)), 'not-a-signer'],
    ['the same key again', async () => signRequest(await signRequest(request, signer(0)), signer(0)), 'already-signed'],
    ['a device that signs something else', async () => signRequest(request, { publicKey: root(0).publicKey, sign: async () => signer(0).sign(new Uint8Array(3)) }), 'bad-signature']
  ])('%s is refused', async (_what, act, code) => {
    await expect(act()).rejects.toMatchObject({ code })
  })
})

describe('the words are made from the objects', () => {
  it('a renewal with a new root_key', () => {
    const text = request.summary.join('\n')
    for (const word of ['epoch 0 becomes epoch 1', 'of which 2 must sign', `${d.rootKey().publicKey} ends`, testKey('new root_key').publicKey, 'manifest 2', 'produce; names under "ci"']) expect(text).toContain(word)
  })

  it('a base that takes manifests away, another policy, another root set', () => {
    const policy = { ...defaultPolicy, retention_policy: { ...defaultPolicy.retention_policy, min_snapshot_retention: 99 } }
    const first = k.authority().onChain[0]?.ref as never
    expect(newRequest(k, renewEntry(k, { policy, base: first })).summary.join('\n')).toMatch(/policy changes[^]*kept 99[^]*goes back to manifest 1[^]*manifest 2 no longer counts/)
    const nextCommitment = rootCommitment(digestFrom('z'), rootSetCodec.reference(rootSetFrom([testKey('z').publicKey], 1)))
    const rotation = rotateEntry(k, { newSet: rootSetOf(d.nextRoots(d.domain)), salt: digestFrom(`${d.seed}/salt/0`), nextCommitment })
    expect(newRequest(k, rotation).summary.join('\n')).toMatch(/roots are replaced[^]*fresh next root set/)
  })

  it('that manifests end shows, though the file leaves them out', () => {
    const thief = testKey('thief')
    const robbed = makeDomain({ seed: 'left out', principals: [{ key: testKey('owner') }, { key: thief }] })
    const [first, before] = [robbed.tip, [...robbed.items]]
    robbed.manifest({ principals: [{ key: testKey('owner') }], closed: [thief] })
    const back = renewEntry(knowledgeOf(robbed), { base: first })
    const less = new DomainKnowledge(robbed.domain)
    for (const { artifact } of before) less.admit(artifact)
    const [whole, cut] = [knowledgeOf(robbed), less].map((from) => openRequest(requestText(newRequest(from, back))))
    expect([cut?.ref, whole?.summary.join(' ')]).toEqual([whole?.ref, expect.stringMatching(/manifest 2 no longer counts/)])
    for (const r of [whole, cut]) expect(r?.summary.join(' ')).toMatch(/Every manifest after manifest 1 ends with this, also those that this file doesn't show/)
  })

  it('a genesis', async () => {
    const drafted = draftGenesis({ rootSet: rootSetFrom(['a', 'b'].map((s) => testKey(s).publicKey), 2), nextSet: rootSetFrom(['c', 'd'].map((s) => testKey(s).publicKey), 2), nextSalt: digestFrom('n'), rootKey: testKey('rk').publicKey, principals: [{ publicKey: testKey('p').publicKey, roles: ['publish'], prefixes: [''] }] })
    const asked = openRequest(requestText(genesisRequest(drafted.domain, drafted.artifacts)))
    expect(asked.summary.join('\n')).toMatch(/A new domain[^]*2 keys, of which 2 must sign[^]*publish/)
    const both = await signRequest(await signRequest(asked, testSigner(testKey('a'))), testSigner(testKey('b')))
    expect([isComplete(both), both.domain]).toEqual([true, drafted.domain])
  })
})

describe('hostile files are refused in one line', () => {
  const other = (): NewEntry => renewEntry(k, { rootKey: testKey('mallory').publicKey })
  const signature = (key: TestKey, purpose: 'root-entry' | 'drill' | 'manifest' = 'root-entry', target = made.ref): string => b64(signed(key, purpose, target).artifact)
  const without = (f: File, drop: (ref: string) => boolean): void => {
    f.artifacts = request.artifacts.filter((a) => !drop(referenceOfArtifact(a))).map(b64)
  }

  it.each<[string, () => string, RegExp]>([
    ['no JSON', () => 'root', /not JSON/],
    ['a list', () => '[]', /not an object/],
    ['another format', () => changed((f) => { f['format'] = 'x' }), /format/],
    ['an unknown field', () => changed((f) => { f['note'] = 'trust me' }), /unknown field "note"/],
    ['__proto__', () => good.replace('{', '{"__proto__":{"threshold":1},'), /unknown field/],
    ['two summaries: a person reads the first, a program the last', () => good.replace('{', '{ "summary": ["nothing changes: this is a drill"],'), /twice/],
    ['two thresholds', () => good.replace('"threshold"', '"threshold": 7, "threshold"'), /twice/],
    ['a field twice, one of them in escapes', () => good.replace('{', '{"\\u0073ummary":[],'), /twice/],
    ['a field short', () => changed((f) => { delete f['threshold'] }), /no threshold/],
    ['another purpose', () => changed((f) => { f['purpose'] = 'manifest' }), /root entries only/],
    ['a summary that lies', () => changed((f) => { f.summary[0] = 'Nothing happens.' }), /summary/],
    ['no summary', () => changed((f) => { f.summary = [] }), /summary/],
    ['another threshold', () => changed((f) => { f['threshold'] = 1 }), /threshold/],
    ['another key listed', () => changed((f) => { f.root_keys[0] = testKey('mallory').publicKey }), /root keys/],
    ['another reference', () => changed((f) => { f['reference'] = d.domain }), /reference/],
    ['another domain', () => changed((f) => { f['domain'] = 'dom1qqqqq' }), /domain/],
    ['another target under the same words', () => changed((f) => { f['target'] = b64(rootEntryCodec.artifact(other().entry)); f.artifacts.push(b64(certificateCodec.artifact(other().certificate))) }), /isn't what its objects say/],
    ['a flipped bit in the target', () => changed((f) => { f['target'] = flip(f['target'] as string) }), /malformed|refuse|isn't|no root entry|root set/],
    ['a target that is no root entry', () => changed((f) => { f['target'] = f.artifacts[0] }), /no root entry/],
    ['base64 with a trailing bit', () => changed((f) => { f['target'] = `${f['target'] as string}A` }), /base64/],
    ['no root set', () => changed((f) => { without(f, (ref) => ref === made.entry.root_set) }), /root set isn't in it|belong/],
    ['no certificate', () => changed((f) => { without(f, (ref) => ref === made.entry.certificate) }), /certificate isn't in it/],
    ['no base', () => changed((f) => { without(f, (ref) => ref === made.entry.base) }), /base/],
    ['the entry before it is missing', () => changed((f) => { without(f, (ref) => ref === d.domain) }), /refuse/],
    ['an object of another domain', () => changed((f) => { f.artifacts.push(...makeDomain({ seed: 'other' }).items.map((i) => b64(i.artifact))) }), /doesn't belong/],
    ['a bad signature among the objects', () => changed((f) => { f.artifacts.push(b64(badSignature())) }), /doesn't belong/],
    ['a signature by a stranger', () => changed((f) => { f.signatures.push(signature(testKey('stranger'))) }), /none of those/],
    ['a signature for another purpose', () => changed((f) => { f.signatures.push(signature(root(0), 'drill')) }), /something else/],
    ['a signature over something else', () => changed((f) => { f.signatures.push(signature(root(0), 'root-entry', d.domain)) }), /something else/],
    ['a signature that doesn\'t verify', () => changed((f) => { f.signatures.push(b64(badSignature())) }), /doesn't verify/],
    ['one key twice', () => changed((f) => { f.signatures.push(signature(root(0)), signature(root(0))) }), /twice/],
    ['a thousand signatures', () => changed((f) => { f.signatures = Array.from({ length: 1000 }, () => signature(root(0))) }), /at most 9/]
  ])('%s', (_what, text, why) => {
    const { code, message } = refusal(text())
    expect(code).toBe('request-refused')
    expect(message).toMatch(why)
    expect(message).not.toContain('\n')
  })

  it('what a newer program wrote is no attack', () => {
    expect(refusal(changed((f) => { f['version'] = 2 })).code).toBe('request-newer')
  })

  const badSignature = (): Artifact => {
    const s = signatureCodec.from(signed(root(0), 'root-entry', made.ref).artifact)
    return signatureCodec.artifact({ ...s, signature: s.signature.replace(/^../, (x) => x === '00' ? '01' : '00') })
  }
  const flip = (text: string): string => {
    const bytes = Buffer.from(text, 'base64')
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
    return bytes.toString('base64')
  }
})
