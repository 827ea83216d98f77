/** Bytes alone: identity, shape, signatures, keys. S-1, S-2, S-4, S-5, T1; THREATS 1-3, 8, 9. */
import * as dagCbor from '@ipld/dag-cbor'
import type { VerdictCode } from '../../../src/authority/verdict.js'
import { rootSetCodec } from '../../../src/authority/root-set.js'
import { manifestCodec } from '../../../src/authority/manifest.js'
import { bodyTag, encodeBody, KIND } from '../../../src/publication/leaf.js'
import { encodeArtifact } from '../../../src/substrate/artifact.js'
import { fromHex, toHex } from '../../../src/substrate/bytes.js'
import type { PublicKey, Reference } from '../../../src/substrate/reference.js'
import { PURPOSES, type Purpose, signatureCodec } from '../../../src/substrate/signature.js'
import { type Item, itemOf, makeDomain, refFrom, signed, testKey } from '../../../test/helpers/authority-fixtures.js'
import { TestLane } from '../../../test/helpers/lanes.js'
import { HOSTILE_CBOR } from '../hostile-cbor.js'
import { badObjects } from '../hostile-objects.js'
import { bodies, SAMPLES } from '../samples.js'
import { bytesOf, type Case, type Held, heldOf, near, withItems } from './cases.js'
import { garbage } from './roots.js'

const key = testKey('vectors signer')
const TAGS = new Map<string, number>([...SAMPLES.map((s): [string, number] => [s.type, s.codec.tag]), ...bodies.map((b): [string, number] => [`Body(${b.kind})`, bodyTag(KIND[b.kind])])])
const tagOf = (type: string): number => {
  const tag = TAGS.get(type)
  if (tag === undefined) throw new Error(`no tag of ${type}`)
  return tag
}

/** THREATS 1: what hashes to something other than it came under. */
function identity (): Case[] {
  const d = makeDomain({ seed: 'vectors identity', principals: [{ key }] })
  const { ref, artifact } = d.items.find((i) => i.ref === d.domain) as Item
  const hex = bytesOf(artifact)
  const flipped = toHex(fromHex(hex).map((b, i) => i === 40 ? b ^ 1 : b))
  const rows: Array<[string, VerdictCode, string, Reference]> = [
    ['the genesis under its own reference', 'accepted', hex, ref],
    ['the genesis under a reference one bit off', 'reference-mismatch', hex, near(ref)],
    ['the genesis with one bit flipped', 'reference-mismatch', flipped, ref],
    ['the genesis with a byte behind its end', 'reference-mismatch', `${hex}00`, ref],
    ['the genesis without its tag', 'reference-mismatch', toHex(encodeArtifact({ typeTag: undefined, payload: artifact.payload })), ref],
    ['no bytes', 'reference-mismatch', '', ref]
  ]
  return rows.flatMap(([name, gives, bytes, as]): Case[] => [
    { about: 'reference-mismatch', gives, name, held: { items: [{ hex: bytes, as }] }, subject: { shape: 0 } },
    { about: 'reference-mismatch', gives, name: `${name}: offered`, held: { domain: d.domain, items: [...d.items.filter((i) => i.ref !== ref), { hex: bytes, as }] }, subject: { offer: d.items.length - 1 } }
  ])
}

/** THREATS 2: every ordered pair of types, one's payload under the other's tag. Only bodies of equal shape may pass, and those differ by their hash. */
function confusion (): Case[] {
  const payloads = new Map<string, Uint8Array>()
  for (const { type, codec, value } of SAMPLES) if (!payloads.has(type)) payloads.set(type, codec.encode(value))
  for (const body of bodies) payloads.set(`Body(${body.kind})`, encodeBody(body))
  const alike = [['Body(publish)', 'Body(lift)'], ['Body(receipt)', 'Body(admit)']]
  const out: Case[] = []
  for (const [from, payload] of payloads) {
    for (const [as, tag] of TAGS) {
      const same = from === as || alike.some((pair) => pair.includes(from) && pair.includes(as))
      out.push({ about: 'malformed', gives: same ? 'accepted' : 'malformed', name: from === as ? `a ${from}` : `a ${from} as ${as}`, rule: 'S-4', held: { items: [{ tag, payload }] }, subject: { shape: 0 } })
    }
  }
  return out
}

/** THREATS 3: wrong encodings, bombs, wrong shapes: the same table that objects.json holds, as verdicts. Long and dull ones stay there. */
function shapes (): Case[] {
  const bodyPayload = (kind: string): Uint8Array => encodeBody(bodies.find((b) => b.kind === kind) as typeof bodies[number])
  const all = [...HOSTILE_CBOR.map((h) => ({ ...h, name: `encoding: ${h.name}` })), ...badObjects(bodyPayload)]
  return all.filter((h) => h.payload.length <= 2048).map(({ type, name, payload }): Case =>
    ({ about: 'malformed', gives: 'malformed', name: `${type}: ${name}`, held: { items: [{ hex: toHex(encodeArtifact({ typeTag: tagOf(type), payload })) }] }, subject: { shape: 0 } }))
}

/** THREATS 2: signatures shown for what they weren't made for. */
function signatures (): Case[] {
  const d = makeDomain({ seed: 'vectors signatures', principals: [{ key }] })
  const lane = new TestLane(d, key, 'vectors signatures')
  const head = lane.publish('a')
  const world = withItems(heldOf(d), lane.item, head.snapshot)
  const good = signatureCodec.from(head.signature.artifact)
  const shown = (s: typeof good): [Held, { offer: number }] => [withItems(world, itemOf(signatureCodec.artifact(s))), { offer: world.items.length }]
  const out: Case[] = [{ about: 'bad-signature', gives: 'accepted', name: 'a head\'s signature', held: shown(good)[0], subject: shown(good)[1] }]
  const bad = (name: string, s: typeof good): void => { out.push({ about: 'bad-signature', gives: 'bad-signature', name, held: shown(s)[0], subject: shown(s)[1] }) }
  for (const purpose of PURPOSES.filter((p) => p !== 'snapshot')) {
    bad(`made for ${purpose}, shown as snapshot`, { ...signatureCodec.from(signed(key, purpose, head.ref).artifact), purpose: 'snapshot' })
  }
  for (const purpose of ['root-entry', 'manifest'] as const) bad(`made for snapshot, shown as ${purpose}`, { ...good, purpose })
  bad('over another target', { ...signatureCodec.from(signed(key, 'snapshot', refFrom('other')).artifact), target: head.ref })
  bad('in the name of another key', { ...good, public_key: testKey('vectors other key').publicKey })
  bad('a bit of R flipped', signatureCodec.from(garbage(key, 'snapshot', head.ref).artifact))
  bad('all zero', { ...good, signature: '0'.repeat(128) })
  // T1: a signature has force for one purpose only.
  const entry = d.renew({ signers: [] }).ref
  const root = d.roots().keys[0] as typeof key
  const over = (purpose: Purpose, gives: VerdictCode): Case => ({ about: 'signature-missing', gives, name: `a root entry signed for ${purpose}`, rule: 'T1', held: withItems(heldOf(d), signed(root, purpose, entry)), subject: { reference: entry } })
  out.push(...PURPOSES.map((p) => over(p, p === 'root-entry' ? 'accepted' : 'signature-missing')))
  const bare = d.manifest({ under: d.domain, after: d.tip, signer: false }).ref
  const epochZero = heldOf(d, (i) => i.ref === entry)
  out.push(...PURPOSES.map((p): Case => ({ about: 'signature-missing', gives: p === 'manifest' ? 'accepted' : 'signature-missing', name: `a manifest signed for ${p}`, rule: 'T1', held: withItems(epochZero, signed(d.rootKey(d.domain), p, bare)), subject: { reference: bare } })))
  return out
}

/** THREATS 9: y-coordinates of the eight points of small order, each in the forms that some library accepts, and points that are none. */
const WEAK: ReadonlyArray<[string, string]> = [
  ['the identity', '01' + '0'.repeat(62)],
  ['the identity with the sign bit', '01' + '0'.repeat(60) + '80'],
  ['order 2', 'ec' + 'f'.repeat(60) + '7f'],
  ['order 2 with the sign bit', 'ec' + 'f'.repeat(62)],
  ['order 4', '0'.repeat(64)],
  ['order 4, the other', '0'.repeat(62) + '80'],
  ['order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
  ['order 8, the second', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
  ['order 8, the third', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  ['order 8, the fourth', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
  ['order 4 in the form y = p', 'ed' + 'f'.repeat(60) + '7f'],
  ['order 4 in the form y = p, with the sign bit', 'ed' + 'f'.repeat(62)],
  ['the identity in the form y = p + 1', 'ee' + 'f'.repeat(60) + '7f'],
  ['the identity in the form y = p + 1, with the sign bit', 'ee' + 'f'.repeat(62)],
  ['y = 2, off the curve', '02' + '0'.repeat(62)],
  ['y = 2^255 - 1', 'f'.repeat(62) + '7f']
]

function weakKeys (): Case[] {
  const set = dagCbor.decode<{ root_keys: Uint8Array[], threshold: number }>(rootSetCodec.encode({ version: 1, root_keys: [key.publicKey], threshold: 1, reserved0: 0 }))
  const d = makeDomain({ seed: 'vectors weak', principals: [{ key }] })
  const manifest = (d.items.find((i) => i.ref === d.tip) as Item).artifact
  const asRootKey = (hex: string): Uint8Array => dagCbor.encode({ ...dagCbor.decode<object>(manifest.payload), root_key: fromHex(hex) })
  const wrap = (tag: number, payload: Uint8Array): Held => ({ items: [{ hex: toHex(encodeArtifact({ typeTag: tag, payload })) }] })
  const out: Case[] = [
    { about: 'malformed', gives: 'accepted', name: 'a root set with a good key', held: wrap(rootSetCodec.tag, dagCbor.encode(set)), subject: { shape: 0 } },
    { about: 'malformed', gives: 'accepted', name: 'a manifest with a good root_key', held: wrap(manifestCodec.tag, asRootKey(key.publicKey)), subject: { shape: 0 } }
  ]
  for (const [name, hex] of WEAK) {
    out.push(
      { about: 'malformed', gives: 'malformed', name: `a root set with the key ${name}`, rule: 'S-6', held: wrap(rootSetCodec.tag, dagCbor.encode({ ...set, root_keys: [fromHex(hex)] })), subject: { shape: 0 } },
      { about: 'malformed', gives: 'malformed', name: `a manifest with the root_key ${name}`, rule: 'S-6', held: wrap(manifestCodec.tag, asRootKey(hex)), subject: { shape: 0 } },
      // s = 0 and R = identity: with A of order 1 this fits every message.
      { about: 'bad-signature', gives: 'bad-signature', name: `a signature that fits everything, by the key ${name}`, rule: 'S-6', held: withItems(heldOf(d), itemOf(signatureCodec.artifact({ target: d.tip, purpose: 'manifest', public_key: hex as PublicKey, signature: '01' + '0'.repeat(126) }))), subject: { offer: d.items.length } })
  }
  return out
}

export function byteCases (): Case[] {
  return [...identity(), ...signatures(), ...weakKeys()]
}

export function shapeCases (): Case[] {
  return shapes()
}

export function confusionCases (): Case[] {
  return confusion()
}
