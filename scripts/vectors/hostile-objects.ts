/** Canonical DAG-CBOR that breaks its object's shape: each case changes one thing of a sample. Every one is malformed. */
import * as dagCbor from '@ipld/dag-cbor'
import { fromHex } from '../../src/substrate/bytes.js'
import { referenceBytes } from '../../src/substrate/reference.js'
import { evidence, fileRef, key, SAMPLES, type Sample } from './samples.js'

export interface BadObject { readonly name: string, readonly type: string, readonly payload: Uint8Array }

// The data model of CBOR, to be broken at will.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Item = any
type Change = (object: Item) => void

const NONE_BYTES = fromHex('0001' + '0'.repeat(64))
/** y = 1: the identity, of order 1. */
const SMALL_ORDER = fromHex('01' + '0'.repeat(62))
/** y = p + 1: the identity once more, not canonical. */
const NOT_CANONICAL = fromHex('ee' + 'f'.repeat(60) + '7f')
/** y = 2: no x belongs to it. */
const OFF_CURVE = fromHex('02' + '0'.repeat(62))
const tenKeys = Array.from({ length: 10 }, (_, i) => key(`many ${i}`).public).sort().map(fromHex)

/** The sample of `type` number `which` that the cases change. */
function sampleOf (type: string, which = 0): Sample {
  const found = SAMPLES.filter((s) => s.type === type)[which]
  if (found === undefined) throw new Error(`no sample ${which} of ${type}`)
  return found
}

/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-assignment */
const CASES: Array<[string, number, Array<[string, Change]>]> = [
  ['OfflineRootSet', 1, [
    ['threshold 0', (o) => { o.threshold = 0 }],
    ['threshold above the number of keys', (o) => { o.threshold = 3 }],
    ['threshold 1.5', (o) => { o.threshold = 1.5 }],
    ['the same key twice', (o) => { o.root_keys[1] = o.root_keys[0] }],
    ['keys not ascending', (o) => { o.root_keys.reverse() }],
    ['no keys', (o) => { o.root_keys = [] }],
    ['ten keys', (o) => { o.root_keys = tenKeys }],
    ['version 2', (o) => { o.version = 2 }],
    ['reserved0 is 1', (o) => { o.reserved0 = 1 }],
    ['a key of small order', (o) => { o.root_keys = [SMALL_ORDER]; o.threshold = 1 }],
    ['a key in non-canonical form', (o) => { o.root_keys = [NOT_CANONICAL]; o.threshold = 1 }],
    ['a key off the curve', (o) => { o.root_keys = [OFF_CURVE]; o.threshold = 1 }],
    ['a key of 33 bytes', (o) => { o.root_keys = [new Uint8Array(33).fill(7)]; o.threshold = 1 }]
  ]],
  ['AuthorityCertificate', 0, [
    ['a domain_root with a role', (o) => { o.roles = ['publish'] }],
    ['subject_id is not the hash of the key', (o) => { o.subject_id[0] ^= 1 }],
    ['unknown subject_type', (o) => { o.subject_type = 'machine' }]
  ]],
  ['RootEntry', 0, [
    ['a zero commitment', (o) => { o.next_commitment = new Uint8Array(32) }],
    ['a genesis with a previous entry', (o) => { o.previous = referenceBytes(fileRef) }],
    ['a genesis with a salt', (o) => { o.salt[0] = 1 }],
    ['a genesis with a base', (o) => { o.base = referenceBytes(fileRef) }],
    ['a genesis that names a domain', (o) => { o.domain_id = referenceBytes(fileRef) }],
    ['epoch 1 without base', (o) => { o.epoch = 1; o.domain_id = o.previous = referenceBytes(fileRef) }]
  ]],
  ['DomainPolicy', 0, [
    ['version 0', (o) => { o.version = 0 }],
    ['reserved0 is 1', (o) => { o.reserved0 = 1 }],
    ['roles not ascending', (o) => { o.publication_policy.allowed_roles.reverse() }],
    ['an unknown role', (o) => { o.execution_policy.allowed_roles = ['admin'] }],
    ['a switch that is 1', (o) => { o.visibility_policy.internal_hidden = 1 }],
    ['the zero reference as trusted domain', (o) => { o.federation_policy.trusted_domains = [NONE_BYTES] }],
    ['retention above u32', (o) => { o.retention_policy.min_snapshot_retention = 2 ** 32 }],
    ['a section missing', (o) => { delete o.visibility_policy }]
  ]],
  ['DomainAuthorityManifest', 0, [
    ['version 0', (o) => { o.version = 0 }],
    ['version 1 with a previous', (o) => { o.previous = referenceBytes(fileRef) }],
    ['version 2 without a previous', (o) => { o.version = 2 }],
    ['no principals', (o) => { o.principals = []; o.scope = [] }],
    ['principals not ascending', (o) => { o.principals.reverse(); o.scope.reverse() }],
    ['the same principal twice', (o) => { o.principals[1] = o.principals[0]; o.scope[1] = o.scope[0] }],
    ['a scope missing', (o) => { o.scope.pop() }],
    ['scopes of other principals', (o) => { o.scope[0].principal_id = o.scope[1].principal_id }],
    ['principal_id is not the hash of the key', (o) => { o.principals[0].principal_id[31] ^= 1; o.scope[0].principal_id[31] ^= 1 }],
    ['a principal without roles', (o) => { o.principals[0].roles = [] }],
    ['a role twice', (o) => { o.principals[0].roles = ['audit', 'audit'] }],
    ['roles by their agent nouns', (o) => { o.principals[0].roles = ['publisher'] }],
    ['prefixes not ascending', (o) => { o.scope[0].prefixes = ['b', 'a'] }],
    ['a prefix with a trailing slash', (o) => { o.scope[0].prefixes = ['docs/'] }],
    ['a prefix that climbs', (o) => { o.scope[0].prefixes = ['docs/..'] }],
    ['closed not ascending', (o) => { o.closed = [new Uint8Array(32).fill(2), new Uint8Array(32).fill(1)] }],
    ['a root_key of small order', (o) => { o.root_key = SMALL_ORDER }]
  ]],
  ['DomainMoved', 0, [
    ['it moves to itself', (o) => { o.to = o.domain_id }],
    ['it moves nowhere', (o) => { o.to = NONE_BYTES }],
    ['of no domain', (o) => { o.domain_id = NONE_BYTES }],
    ['under no root entry', (o) => { o.root_entry = NONE_BYTES }],
    ['a field that nobody asked for', (o) => { o.why = 'lost' }]
  ]],
  ['CutList', 0, [
    ['no cuts', (o) => { o.cuts = [] }],
    ['a cut of no lane', (o) => { o.cuts[0].lane = NONE_BYTES }],
    ['lanes not ascending', (o) => { const [c] = o.cuts; o.cuts = [{ ...c, lane: fromHex('0001' + 'f'.repeat(64)) }, c] }]
  ]],
  ['Signature', 0, [
    ['unknown purpose', (o) => { o.purpose = 'everything' }],
    ['a signature of 63 bytes', (o) => { o.signature = o.signature.subarray(1) }],
    ['a signature of 65 bytes', (o) => { o.signature = new Uint8Array(65) }],
    ['no target', (o) => { o.target = NONE_BYTES }]
  ]],
  ['Lane', 0, [
    ['visibility 2', (o) => { o.visibility = 2 }],
    ['visibility as text', (o) => { o.visibility = 'published' }],
    ['a nonce of 31 bytes', (o) => { o.nonce = o.nonce.subarray(1) }],
    ['no manifest', (o) => { o.manifest = NONE_BYTES }]
  ]],
  ['Snapshot', 0, [
    ['log_size 0', (o) => { o.log_size = 0 }]
  ]],
  ['ForkEvidence', 0, [
    ['the sides swapped', (o) => { [o.a, o.b] = [o.b, o.a] }],
    ['both sides the same', (o) => { o.b = o.a }],
    ['a path of 54 hashes', (o) => { o.a.path = Array.from({ length: 54 }, () => new Uint8Array(32)) }],
    ['log_size 0', (o) => { o.a.log_size = 0 }]
  ]],
  ['File', 0, [
    ['level 4', (o) => { o.level = 4 }],
    ['no parts', (o) => { o.parts = []; o.size = 0 }],
    ['sizes that do not sum up', (o) => { o.size = 1 }],
    ['an empty part', (o) => { o.parts[0][0] = 0; o.size = o.parts[1][0] }],
    ['a part without a reference', (o) => { o.parts[0].pop() }],
    ['sizes that sum up beyond 2^53', (o) => { o.parts = [[2 ** 53 - 1, o.parts[0][1]], [1, o.parts[0][1]]]; o.size = 2 ** 53 - 1 }],
    ['8,193 parts', (o) => { o.parts = new Array(8193).fill([1, o.parts[0][1]]); o.size = 8193 }]
  ]],
  ['Tree', 1, [
    ['names not ascending', (o) => { o.entries.reverse() }],
    ['names in the order of UTF-16 units', (o) => { const e = o.entries; [e[4], e[5]] = [e[5], e[4]] }],
    ['the same name twice', (o) => { o.entries[1] = [...o.entries[0]] }],
    ['an empty name', (o) => { o.entries[0][0] = '' }],
    ['the name .', (o) => { o.entries[0][0] = '.' }],
    ['the name ..', (o) => { o.entries[0][0] = '..' }],
    ['a name with a slash', (o) => { o.entries[0][0] = 'a/b' }],
    ['a name with a NUL', (o) => { o.entries[0][0] = 'a\0b' }],
    ['a name of 256 bytes', (o) => { o.entries[0][0] = 'a'.repeat(256) }],
    ['a name of 256 bytes in 128 letters', (o) => { o.entries = [['\u00e9'.repeat(128), 1, 0o755, o.entries[0][3]]] }],
    ['mode 0o10000', (o) => { o.entries[0][2] = 0o10000 }],
    ['a link without a target', (o) => { o.entries[1][2] = new Uint8Array(0) }],
    ['a link target of 4,096 bytes', (o) => { o.entries[1][2] = new Uint8Array(4096).fill(0x61) }],
    ['a link target as text', (o) => { o.entries[1][2] = 'notes.txt' }],
    ['entry kind 3', (o) => { o.entries[0][1] = 3 }],
    ['a file without a size', (o) => { o.entries[2].splice(3, 1) }],
    ['a directory that is no reference', (o) => { o.entries[0][3] = NONE_BYTES }],
    ['level 4', (o) => { o.level = 4 }],
    ['a node with entries of a leaf', (o) => { o.level = 1 }]
  ]],
  ['Tree', 2, [
    ['a node without entries', (o) => { o.entries = [] }],
    ['a leaf with entries of a node', (o) => { o.level = 0 }],
    ['first names not ascending', (o) => { o.entries = [['b', o.entries[0][1]], ['a', o.entries[0][1]]] }]
  ]]
]

/** A leaf body by its kind, given as CBOR data model. */
const BODY_CASES: Array<[string, Array<[string, Item]>]> = [
  ['publish', [
    ['a name with a leading slash', { name: '/a' }],
    ['a name with an empty segment', { name: 'a//b' }],
    ['a name that climbs', { name: 'a/../b' }],
    ['an empty name', { name: '' }],
    ['a name of 1,025 bytes', { name: 'abcd/'.repeat(204) + 'abcde' }],
    ['a segment of 256 bytes', { name: 'a'.repeat(256) }],
    ['a salt of 15 bytes', { salt: new Uint8Array(15) }],
    ['mode 0o10000', { mode: 0o10000 }],
    ['no reference', { ref: NONE_BYTES }],
    ['a note that nobody asked for', { note: 'hello' }]
  ]],
  ['statement', [
    ['a type without a letter', { type: '' }],
    ['a type of 1,025 bytes', { type: 'a'.repeat(1025) }]
  ]],
  ['vouch', [
    ['for no head', { snapshot: NONE_BYTES }]
  ]]
]

export function badObjects (bodyPayload: (kind: string) => Uint8Array): BadObject[] {
  const out: BadObject[] = []
  for (const [type, which, cases] of CASES) {
    const { codec, value } = sampleOf(type, which)
    for (const [name, change] of cases) {
      const object: Item = dagCbor.decode(codec.encode(value))
      change(object)
      out.push({ name, type, payload: dagCbor.encode(object) })
    }
  }
  for (const [kind, cases] of BODY_CASES) {
    for (const [name, fields] of cases) {
      const object: Item = dagCbor.decode(bodyPayload(kind))
      out.push({ name, type: `Body(${kind})`, payload: dagCbor.encode({ ...object, ...fields }) })
    }
  }
  return out
}

/** E1: well-formed evidence that proves nothing. */
export function emptyEvidence (): Array<[string, object]> {
  const { a, b } = evidence
  return [
    ['the leaf hash of side b is side a\'s', { ...evidence, b: { ...b, leaf_hash: a.leaf_hash } }],
    ['the index is the size of the logs', { ...evidence, index: 3 }],
    ['the path belongs to another index', { ...evidence, index: 1 }],
    ['a path with a hash too many', { ...evidence, a: { ...a, path: [...a.path, a.leaf_hash] } }],
    ['a signature of another side', { ...evidence, a: { ...a, signature: b.signature } }],
    ['another key', { ...evidence, public_key: key('mallory').public }]
  ]
}
