/**
 * Makes protocols/vectors/objects.json from fixed seeds through the codecs: `npx tsx scripts/make-vectors.ts`. test/conformance/objects.test.ts runs
 * the file and checks that making it again gives the same bytes. What a case must give is written here by hand wherever the code could be wrong about it.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bech32, bech32m } from '@scure/base'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { defaultPolicy, policyCodec } from '../src/authority/policy.js'
import { snapshotCodec } from '../src/publication/lane.js'
import { bareLeaf, bodyArtifact, encodeBody, encodeLeaf, KIND, type KindName, leafOf, NO_BODY } from '../src/publication/leaf.js'
import { artifactHeader, encodeArtifact, referenceOf } from '../src/substrate/artifact.js'
import { concatBytes, fromHex, toHex, utf8 } from '../src/substrate/bytes.js'
import { domainText } from '../src/substrate/domain-id.js'
import { digestOf, referenceBytes, toCid } from '../src/substrate/reference.js'
import { PURPOSES, type Signature, signedMessage } from '../src/substrate/signature.js'
import { canonicalCuts, canonicalSnapshot, HOSTILE_CBOR } from './vectors/hostile-cbor.js'
import { badObjects, emptyEvidence } from './vectors/hostile-objects.js'
import { merkleVectors } from './vectors/merkle-vectors.js'
import { bodies, domain, evidence, headOf, keys, left, SAMPLES, signature, signed, snapshotRef } from './vectors/samples.js'

export const VECTORS = fileURLToPath(new URL('../protocols/vectors/objects.json', import.meta.url))

/** Hex, or for what is long and dull a list of [hex, times]. */
type Bytes = string | Array<[string, number]>
const MALFORMED = 'malformed'

/** Values as JSON: identifiers are hex text already, byte strings become it. */
export function plain (value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]))
  return value
}

/** Long runs of one unit of 1 to 64 bytes are written as [unit, times]. */
function shorten (bytes: Uint8Array): Bytes {
  const text = toHex(bytes)
  if (bytes.length <= 2048) return text
  for (const unit of [1, 2, 38]) {
    for (let start = 0; start < 32; start++) {
      let end = start + unit
      while (end < bytes.length && bytes[end] === bytes[end - unit]) end++
      const times = Math.floor((end - start) / unit)
      if (times * unit < 1024) continue
      const parts: Array<[string, number]> = [[text.slice(0, 2 * start), 1], [text.slice(2 * start, 2 * (start + unit)), times], [text.slice(2 * (start + times * unit)), 1]]
      return parts.filter(([hex]) => hex !== '')
    }
  }
  return text
}

const tagText = (tag: number): string => `0x${tag.toString(16).padStart(8, '0')}`

function artifacts (): object[] {
  const abc = utf8('abc')
  const good = (name: string, tag: number | undefined, payload: Uint8Array, bytes: Bytes = toHex(encodeArtifact({ typeTag: tag, payload }))): object =>
    ({ name, bytes, type_tag: tag === undefined ? null : tagText(tag), payload_length: payload.length, reference: referenceOf(tag, payload) })
  const bad = (name: string, bytes: Uint8Array): object => ({ name, bytes: toHex(bytes), error: MALFORMED })
  const whole = encodeArtifact({ typeTag: undefined, payload: abc })
  const tagged = encodeArtifact({ typeTag: 0x0d1a0008, payload: abc })
  const full = new Uint8Array(1024 * 1024)
  const u64 = (hex: string): Uint8Array => fromHex('00' + hex)
  return [
    good('untagged, empty', undefined, new Uint8Array(0)),
    good('untagged', undefined, abc),
    good('tag 0 is a tag', 0, abc),
    good('tagged', 0x0d1a0008, abc),
    good('the greatest tag', 0xffffffff, abc),
    good('the greatest payload', undefined, full, [[toHex(artifactHeader(undefined, full.length)), 1], ['00', full.length]]),
    bad('no bytes', new Uint8Array(0)),
    bad('first byte 2', concatBytes(Uint8Array.of(2), whole.subarray(1))),
    bad('first byte 255', concatBytes(Uint8Array.of(255), whole.subarray(1))),
    bad('cut off inside the tag', tagged.subarray(0, 3)),
    bad('cut off inside the length', whole.subarray(0, 8)),
    bad('cut off inside the payload', whole.subarray(0, -1)),
    bad('a byte behind the end', concatBytes(whole, Uint8Array.of(0))),
    bad('a length of 1 MiB and 1', concatBytes(artifactHeader(undefined, 1024 * 1024 + 1), abc)),
    bad('a length of 2^30 in few bytes', concatBytes(u64('0000000040000000'), abc)),
    bad('a length of 2^53', concatBytes(u64('0020000000000000'), abc)),
    bad('a length of 2^64 - 1', concatBytes(u64('ffffffffffffffff'), abc)),
    bad('a length of one too many', concatBytes(u64('0000000000000004'), abc))
  ]
}

function references (): object[] {
  const sha = fromHex(digestOf(domain))
  const cid = (version: 0 | 1, codec: number, hash: number, bytes = sha): string => CID.create(version, codec, Digest.create(hash, bytes)).toString()
  const good = (name: string, text: string): object => ({ name, text, reference: domain, cid: toCid(domain) })
  const bad = (name: string, text: string): object => ({ name, text, error: MALFORMED })
  return [
    good('68 hex digits', domain),
    good('CIDv1, raw, sha2-256, base32', toCid(domain)),
    bad('67 digits', domain.slice(1)),
    bad('69 digits', domain + '0'),
    bad('upper case', domain.toUpperCase()),
    bad('a space in front', ' ' + domain),
    bad('hash id 0x0002', '0002' + domain.slice(4)),
    bad('a letter beyond f', domain.slice(0, -1) + 'g'),
    bad('nothing', ''),
    bad('CIDv0', cid(0, 0x70, 0x12)),
    bad('CIDv1 of dag-pb', cid(1, 0x70, 0x12)),
    bad('CIDv1 of dag-cbor', cid(1, 0x71, 0x12)),
    bad('CIDv1 of sha3-256', cid(1, 0x55, 0x16)),
    bad('CIDv1 with a digest of 31 bytes', cid(1, 0x55, 0x12, sha.subarray(1))),
    bad('CIDv1 cut off', toCid(domain).slice(0, -4))
  ]
}

function domains (): object[] {
  const text = domainText(domain)
  const words = (bytes: Uint8Array): number[] => bech32m.toWords(bytes)
  const good = (name: string, t: string): object => ({ name, text: t, reference: domain })
  const bad = (name: string, t: string): object => ({ name, text: t, error: MALFORMED })
  const typo = text.slice(0, 20) + (text[20] === 'q' ? 'p' : 'q') + text.slice(21)
  const swapped = text.slice(0, -2) + (text.at(-1) ?? '') + (text.at(-2) ?? '')
  return [
    good('bech32m with prefix dom', text),
    good('the same in upper case', text.toUpperCase()),
    good('hex is accepted too', domain),
    good('so is a CID', toCid(domain)),
    bad('one letter wrong', typo),
    bad('two letters swapped', swapped),
    bad('one letter missing', text.slice(0, -1)),
    bad('the checksum of bech32 instead of bech32m', bech32.encode('dom', words(referenceBytes(domain)), false)),
    bad('another prefix', bech32m.encode('bc', words(referenceBytes(domain)), false)),
    bad('33 bytes', bech32m.encode('dom', words(referenceBytes(domain).subarray(0, 33)), false)),
    bad('hash id 0x0002', bech32m.encode('dom', words(concatBytes(fromHex('0002'), referenceBytes(domain).subarray(2))), false))
  ]
}

const NAMES: ReadonlyArray<[string, boolean]> = [
  ['a', true], ['a/b', true], ['.hidden', true], ['...', true], ['a..b', true], ['con', true], ['a\\b', true], ['a b ', true], ['\u00e9', true], ['e\u0301', true],
  ['\u202ereversed', true], ['\ufeffmarked', true], ['\u{1f600}', true], ['x'.repeat(255), true],
  [('x'.repeat(254) + '/').repeat(4) + 'xxxx', true], [('x'.repeat(254) + '/').repeat(4) + 'xxxxx', false],
  ['', false], ['.', false], ['..', false], ['/', false], ['/a', false], ['a/', false], ['a//b', false], ['a/./b', false], ['a/../b', false], ['../a', false],
  ['a\0', false], ['x'.repeat(256), false], ['\u00e9'.repeat(128), false], ['a/' + 'x'.repeat(256), false]
]

function objects (): object[] {
  const out = SAMPLES.map(({ type, codec, value, note }) => {
    return { type, ...(note === undefined ? {} : { note }), tag: tagText(codec.tag), payload: toHex(codec.encode(value)), reference: codec.reference(value), value: plain(value) }
  })
  const unsafe = { ...defaultPolicy, visibility_policy: { internal_hidden: false, published_read_only: true } }
  const newer = { ...defaultPolicy, version: 2 }
  const last = { ...headOf(left), logseq: 2 ** 53 - 1 }
  const more = [
    { type: 'DomainPolicy', note: 'well-formed; judged as policy-unsupported', codec: policyCodec, value: unsafe },
    { type: 'DomainPolicy', note: 'well-formed; judged as needs-upgrade', codec: policyCodec, value: newer }
  ].map(({ type, note, codec, value }) => ({ type, note, tag: tagText(codec.tag), payload: toHex(codec.encode(value)), reference: codec.reference(value), value }))
  const lastHead = { type: 'Snapshot', note: 'the greatest logseq', tag: tagText(snapshotCodec.tag), payload: toHex(snapshotCodec.encode(last)), reference: snapshotCodec.reference(last), value: last }
  const ofBodies = bodies.map((body) => {
    const { typeTag, payload } = bodyArtifact(KIND[body.kind], encodeBody(body))
    const { kind, ...value } = body
    return { type: `Body(${kind})`, tag: tagText(typeTag as number), payload: toHex(payload), reference: referenceOf(typeTag, payload), value: plain(value) }
  })
  return [...out, ...more, lastHead, ...ofBodies]
}

function malformedObjects (): object[] {
  const bodyPayload = (kind: string): Uint8Array => encodeBody(bodies.find((b) => b.kind === kind) as typeof bodies[number])
  return badObjects(bodyPayload).map(({ type, name, payload }) => ({ type, name, payload: shorten(payload), error: MALFORMED }))
}

function leaves (): object {
  const good = [...bodies.map((b, i) => leafOf(i + 1, b).leaf), bareLeaf('tick', 2 ** 53 - 1).leaf, bareLeaf('close', 0).leaf, { kind: 0x8001, logseq: 5, body_hash: NO_BODY }, { kind: 0, logseq: 6, body_hash: NO_BODY }]
  const tick = encodeLeaf(bareLeaf('tick', 1).leaf)
  return {
    valid: good.map((leaf) => ({ bytes: toHex(encodeLeaf(leaf)), ...leaf })),
    malformed: [
      { name: '41 bytes', bytes: toHex(tick.subarray(1)) },
      { name: '43 bytes', bytes: toHex(tick) + '00' },
      { name: 'no bytes', bytes: '' },
      { name: 'logseq 2^53', bytes: '0009' + '0020000000000000' + NO_BODY },
      { name: 'logseq 2^64 - 1', bytes: '0009' + 'ffffffffffffffff' + NO_BODY }
    ],
    note: 'R3 and R6: where the leaf that stops a lane stands, and with which verdict; null: nothing stops it',
    lanes: lanes()
  }
}

function lanes (): object[] {
  const STEP = 2 ** 24
  const ticks = (...logseqs: number[]): string[] => logseqs.map((n) => toHex(encodeLeaf(bareLeaf('tick', n).leaf)))
  const kind = (k: number, logseq: number): string => toHex(encodeLeaf({ kind: k, logseq, body_hash: NO_BODY }))
  const rejected = (index: number): object => ({ index, status: 'rejected', code: 'lane-malformed' })
  const upgrade = (index: number): object => ({ index, status: 'deferred', code: 'needs-upgrade' })
  return [
    { name: 'strictly growing', leaves: ticks(0, 1, 5), stop: null },
    { name: 'the greatest steps', leaves: ticks(STEP, 2 * STEP, 3 * STEP), stop: null },
    { name: 'starts too high', leaves: ticks(STEP + 1), stop: rejected(0) },
    { name: 'starts at 2^53 - 1', leaves: ticks(2 ** 53 - 1), stop: rejected(0) },
    { name: 'starts at 2^53', leaves: ['0009' + '0020000000000000' + NO_BODY], stop: rejected(0) },
    { name: 'the same logseq twice', leaves: ticks(1, 1), stop: rejected(1) },
    { name: 'logseq falls', leaves: ticks(1, 5, 4), stop: rejected(2) },
    { name: 'a step of 2^24 + 1', leaves: ticks(1, STEP + 2), stop: rejected(1) },
    { name: 'a jump to 2^53 - 1', leaves: ticks(1, 2 ** 53 - 1), stop: rejected(1) },
    { name: 'an unknown kind below 0x8000', leaves: [...ticks(1), kind(11, 2), ...ticks(3)], stop: upgrade(1) },
    { name: 'kind 0', leaves: [kind(0, 1)], stop: upgrade(0) },
    { name: 'kind 0x7fff', leaves: [kind(0x7fff, 1)], stop: upgrade(0) },
    { name: 'unknown kinds from 0x8000 on are skipped', leaves: [kind(0x8000, 1), kind(0x8001, 2), kind(0xffff, 3), ...ticks(4)], stop: null },
    { name: 'an unknown kind with a broken logseq is malformed, not new', leaves: [...ticks(2), kind(11, 2)], stop: rejected(1) },
    { name: 'close is the last leaf', leaves: [...ticks(1), kind(KIND.close, 2)], stop: null },
    { name: 'a leaf behind close', leaves: [kind(KIND.close, 1), ...ticks(2)], stop: rejected(1) }
  ]
}

/** R2, written from the page and not from the code. */
const ROLES_OF: ReadonlyArray<[KindName, string[]]> = [
  ['publish', ['produce', 'publish']],
  ['tombstone', ['produce', 'publish']],
  ['lift', ['produce', 'publish']],
  ['erase', ['publish']],
  ['receipt', ['execute']],
  ['statement', ['audit', 'execute', 'federate', 'produce', 'publish']],
  ['admit', ['federate']],
  ['vouch', ['federate', 'publish']],
  ['tick', ['audit', 'execute', 'federate', 'produce', 'publish']],
  ['close', ['audit', 'execute', 'federate', 'produce', 'publish']]
]

function signatures (): object {
  const plainSignature = (s: Signature, holds: boolean, why?: string): object => ({ holds, ...(why === undefined ? {} : { why }), ...s })
  const other = referenceOf(undefined, utf8('another target'))
  const flipped = (at: number): string => signature.signature.slice(0, at) + ((parseInt(signature.signature[at] as string, 16) ^ 1).toString(16)) + signature.signature.slice(at + 1)
  // s + L: the same equation, another number.
  const L = 2n ** 252n + 27742317777372353535851937790883648493n
  const s = fromHex(signature.signature.slice(64)).reduceRight((n, b) => n * 256n + BigInt(b), 0n) + L
  const sPlusL = toHex(Uint8Array.from({ length: 32 }, (_, i) => Number((s >> BigInt(8 * i)) & 0xffn)))
  const identity = '01' + '0'.repeat(62)
  return {
    note: 'message = the bytes that are signed for the target below',
    target: snapshotRef,
    messages: PURPOSES.map((purpose) => ({ purpose, message: toHex(signedMessage(purpose, snapshotRef)) })),
    cases: [
      plainSignature(signature, true),
      ...PURPOSES.filter((p) => p !== 'snapshot').flatMap((purpose) => [
        plainSignature({ ...signature, purpose }, false, `made for snapshot, shown as ${purpose}`),
        plainSignature({ ...signed(keys.alice, purpose, snapshotRef), purpose: 'snapshot' }, false, `made for ${purpose}, shown as snapshot`)
      ]),
      plainSignature({ ...signature, target: other }, false, 'another target'),
      plainSignature({ ...signature, public_key: keys.bob.public }, false, 'another key'),
      plainSignature({ ...signature, signature: flipped(3) }, false, 'a bit of R flipped'),
      plainSignature({ ...signature, signature: flipped(70) }, false, 'a bit of s flipped'),
      plainSignature({ ...signature, signature: signature.signature.slice(0, 64) + sPlusL }, false, 's + L'),
      plainSignature({ ...signature, signature: '0'.repeat(128) }, false, 'all zero'),
      plainSignature({ ...signature, public_key: identity as Signature['public_key'], signature: identity + '0'.repeat(64) }, false, 'a key of small order, whose signature would fit every message'),
      plainSignature({ ...signature, public_key: '0'.repeat(64) as Signature['public_key'], signature: '0'.repeat(128) }, false, 'the key of order 4')
    ]
  }
}

export function objectVectors (): string {
  const vectors = {
    format: 'diad-vectors/1',
    note: 'Made by scripts/make-vectors.ts; see README.md beside this file. All bytes are lower-case hex; a list of [hex, times] is that hex so many times.',
    artifacts: artifacts(),
    references: references(),
    domains: domains(),
    names: NAMES.map(([path, valid]) => ({ path, valid })),
    cbor: {
      valid: [{ type: 'Snapshot', payload: toHex(canonicalSnapshot) }, { type: 'CutList', payload: toHex(canonicalCuts) }],
      malformed: HOSTILE_CBOR.map(({ name, type, payload }) => ({ name, type, payload: shorten(payload), error: MALFORMED }))
    },
    objects: { valid: objects(), malformed: malformedObjects() },
    leaves: leaves(),
    roles: ROLES_OF.map(([kind, roles]) => ({ kind, roles })),
    evidence: [
      { holds: true, ...plain(evidence) as object },
      ...emptyEvidence().map(([why, value]) => ({ holds: false, why, ...plain(value) as object }))
    ],
    merkle: merkleVectors(),
    signatures: signatures()
  }
  return render(vectors)
}

/** One line a case: small enough to read in a diff, and the file doesn't get ten times longer. */
function render (value: object, depth = 0): string {
  const pad = '  '.repeat(depth + 1)
  const parts = Object.entries(value).map(([name, part]) => {
    if (Array.isArray(part) && part.length > 1) return `${pad}${JSON.stringify(name)}: [\n${part.map((one) => `${pad}  ${JSON.stringify(one)}`).join(',\n')}\n${pad}]`
    if (typeof part === 'object' && part !== null && !Array.isArray(part)) return `${pad}${JSON.stringify(name)}: ${render(part as object, depth + 1)}`
    return `${pad}${JSON.stringify(name)}: ${JSON.stringify(part)}`
  })
  return `{\n${parts.join(',\n')}\n${'  '.repeat(depth)}}${depth === 0 ? '\n' : ''}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(VECTORS, objectVectors())
