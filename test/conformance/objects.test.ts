/** Runs protocols/vectors/objects.json as any other implementation would: from the JSON alone. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { certificateCodec } from '../../src/authority/certificate.js'
import { cutListCodec } from '../../src/authority/cut-list.js'
import { domainMovedCodec } from '../../src/authority/domain-moved.js'
import { judgeLeaf, type LaneRights, stopsLane } from '../../src/authority/leaf-rules.js'
import { manifestCodec } from '../../src/authority/manifest.js'
import { defaultPolicy, policyCodec } from '../../src/authority/policy.js'
import { rootEntryCodec } from '../../src/authority/root-entry.js'
import { rootSetCodec } from '../../src/authority/root-set.js'
import { type Role, ROLES } from '../../src/authority/role-names.js'
import { keyHash } from '../../src/authority/shapes.js'
import { evidenceHolds, type ForkEvidence, forkEvidenceCodec } from '../../src/publication/evidence.js'
import { fileCodec } from '../../src/publication/file.js'
import { laneCodec, snapshotCodec } from '../../src/publication/lane.js'
import { type Body, bodyTag, decodeBody, decodeLeaf, encodeBody, encodeLeaf, KIND, type KindName, type Leaf, readLeaf } from '../../src/publication/leaf.js'
import { LeafLog } from '../../src/publication/leaf-log.js'
import { verifyConsistency, verifyInclusion, verifyRange } from '../../src/publication/merkle.js'
import { pathFault } from '../../src/publication/names.js'
import { treeCodec } from '../../src/publication/tree.js'
import { decodeArtifact, encodeArtifact, referenceOf, referenceOfArtifactBytes } from '../../src/substrate/artifact.js'
import { concatBytes, fromHex, toHex } from '../../src/substrate/bytes.js'
import type { ArtifactCodec } from '../../src/substrate/codec.js'
import { domainText, parseDomain } from '../../src/substrate/domain-id.js'
import { MalformedError } from '../../src/substrate/errors.js'
import { type Hash, NONE, type PublicKey, parseReference, toCid } from '../../src/substrate/reference.js'
import { type Purpose, signatureCodec, signatureHolds, signedMessage } from '../../src/substrate/signature.js'
import { nobleVerifier } from '../../src/substrate/verifier.js'
import { objectVectors, plain, VECTORS } from '../../scripts/make-vectors.js'

type Bytes = string | Array<[string, number]>
interface Bad { name: string, type: string, payload: Bytes }
interface Good { type: string, tag: string, payload: string, reference: string, value: object }
interface Proof { holds: boolean, why?: string, path: Hash[] }

const text = readFileSync(VECTORS, 'utf8')
const vectors = JSON.parse(text)

const bytesOf = (bytes: Bytes): Uint8Array => typeof bytes === 'string' ? fromHex(bytes) : fromHex(bytes.map(([hex, times]) => hex.repeat(times)).join(''))

interface Decoder { tag: number, decode: (payload: Uint8Array) => object, encode: (value: object) => Uint8Array }
const CODECS = [rootSetCodec, certificateCodec, rootEntryCodec, policyCodec, manifestCodec, cutListCodec, signatureCodec, domainMovedCodec, laneCodec, snapshotCodec, forkEvidenceCodec, fileCodec, treeCodec]
const DECODERS = new Map<string, Decoder>()
for (const codec of CODECS as unknown as Array<ArtifactCodec<object>>) DECODERS.set(codec.name, codec)
for (const [name, kind] of Object.entries(KIND)) {
  if (name === 'tick' || name === 'close') continue
  DECODERS.set(`Body(${name})`, {
    tag: bodyTag(kind),
    decode (payload) {
      const { kind: _, ...fields } = decodeBody(kind, payload)
      return fields
    },
    encode: (value) => encodeBody({ kind: name, ...value } as Body)
  })
}
const decoder = (type: string): Decoder => DECODERS.get(type) as Decoder
const malformed = (run: () => unknown): void => { expect(run).toThrow(MalformedError) }

it('the file is what the script makes', () => {
  expect(objectVectors() === text, 'run `npx tsx scripts/make-vectors.ts` and look at what changed').toBe(true)
})

describe('S-1 artifacts', () => {
  for (const v of vectors.artifacts) {
    it(v.name, () => {
      const bytes = bytesOf(v.bytes)
      if (v.error !== undefined) {
        malformed(() => decodeArtifact(bytes))
        return
      }
      const artifact = decodeArtifact(bytes)
      expect(artifact.typeTag ?? null).toBe(v.type_tag === null ? null : Number(v.type_tag))
      expect(artifact.payload.length).toBe(v.payload_length)
      expect(referenceOfArtifactBytes(bytes)).toBe(v.reference)
      expect(referenceOf(artifact.typeTag, artifact.payload)).toBe(v.reference)
      expect(Buffer.compare(encodeArtifact(artifact), bytes)).toBe(0)
    })
  }
})

describe('S-2 references, N1 DomainIDs, S-7 names', () => {
  it.each<{ name: string, text: string, reference?: string, cid?: string }>(vectors.references)('reference: $name', ({ text, reference, cid }) => {
    if (reference === undefined) {
      malformed(() => parseReference(text))
      return
    }
    expect(parseReference(text)).toBe(reference)
    expect(toCid(parseReference(text))).toBe(cid)
  })

  it.each<{ name: string, text: string, reference?: string }>(vectors.domains)('DomainID: $name', ({ text, reference }) => {
    if (reference === undefined) {
      malformed(() => parseDomain(text))
      return
    }
    expect(parseDomain(text)).toBe(reference)
    expect(domainText(parseDomain(text))).toBe(vectors.domains[0].text)
  })

  it.each<{ path: string, valid: boolean }>(vectors.names)('$path', ({ path, valid }) => {
    expect(pathFault(path) === undefined).toBe(valid)
  })
})

describe('S-4 strict DAG-CBOR', () => {
  it.each<Bad>(vectors.cbor.malformed)('$type: $name', ({ type, payload }) => {
    const bytes = bytesOf(payload)
    const start = performance.now()
    malformed(() => decoder(type).decode(bytes))
    // Milliseconds, whatever it declares; the bound is wide for slow machines and still far below what 2^30 of anything takes.
    expect(performance.now() - start).toBeLessThan(250)
  })

  it.each<{ type: string, payload: string }>(vectors.cbor.valid)('the form they all were made from: $type', ({ type, payload }) => {
    expect(toHex(decoder(type).encode(decoder(type).decode(fromHex(payload))))).toBe(payload)
  })
})

describe('objects', () => {
  it('every codec has a good case, and every kind with a body', () => {
    expect(new Set(vectors.objects.valid.map((v: Good) => v.type))).toEqual(new Set(DECODERS.keys()))
  })

  it.each<Good>(vectors.objects.valid)('$type $reference', ({ type, tag, payload, reference, value }) => {
    const codec = decoder(type)
    expect(Number(tag)).toBe(codec.tag)
    const decoded = codec.decode(fromHex(payload))
    expect(plain(decoded)).toEqual(value)
    expect(toHex(codec.encode(decoded))).toBe(payload)
    expect(referenceOf(codec.tag, fromHex(payload))).toBe(reference)
  })

  it.each<Bad>(vectors.objects.malformed)('$type: $name', ({ type, payload }) => {
    malformed(() => decoder(type).decode(bytesOf(payload)))
  })

  it('no type is taken for another: every ordered pair, by shape or by tag (THREATS 2)', () => {
    // Bodies of equal shape differ by their tag alone, which is part of body_hash.
    const same = [['Body(publish)', 'Body(lift)'], ['Body(receipt)', 'Body(admit)']]
    for (const offered of vectors.objects.valid as Good[]) {
      for (const [wanted, codec] of DECODERS) {
        if (wanted === offered.type) continue
        if (wanted.startsWith('Body(') && same.some((pair) => pair.includes(wanted) && pair.includes(offered.type))) {
          expect(referenceOf(codec.tag, fromHex(offered.payload))).not.toBe(offered.reference)
        } else {
          expect(() => codec.decode(fromHex(offered.payload)), `${offered.type} as ${wanted}`).toThrow(MalformedError)
        }
      }
      for (const codec of CODECS) {
        if (codec.name !== offered.type) malformed(() => codec.from({ typeTag: Number(offered.tag), payload: fromHex(offered.payload) }))
        else malformed(() => codec.from({ typeTag: undefined, payload: fromHex(offered.payload) }))
      }
    }
  })
})

describe('R1 leaves', () => {
  it.each<Leaf & { bytes: string }>(vectors.leaves.valid)('kind $kind, logseq $logseq', ({ bytes, ...leaf }) => {
    expect(decodeLeaf(fromHex(bytes))).toEqual(leaf)
    expect(toHex(encodeLeaf(leaf))).toBe(bytes)
  })

  it.each<{ name: string, bytes: string }>(vectors.leaves.malformed)('$name', ({ bytes }) => {
    malformed(() => decodeLeaf(fromHex(bytes)))
  })
})

describe('R3 and R6: what stops a lane', () => {
  it.each<{ name: string, leaves: string[], stop: object | null }>(vectors.leaves.lanes)('$name', ({ leaves, stop }) => {
    const log = new LeafLog()
    log.append(concatBytes(...leaves.map(fromHex)))
    let found: object | undefined
    let before: Leaf | undefined
    for (let i = 0; i < log.size && found === undefined; i++) {
      const leaf = readLeaf(log.leaf(i))
      found = leaf === undefined ? { index: i, status: 'rejected', code: 'lane-malformed' } : stopsLane(leaf, i, before)
      before = leaf
    }
    expect(found ?? null).toEqual(stop)
  })
})

describe('R2: every role and kind', () => {
  const key = vectors.signatures.cases[0].public_key as PublicKey
  const bodies = new Map<string, Good>((vectors.objects.valid as Good[]).map((v) => [v.type, v]))
  // T2 is another question: here every section allows every role.
  const policy = { ...defaultPolicy, publication_policy: { ...defaultPolicy.publication_policy, allowed_roles: [...ROLES] }, execution_policy: { ...defaultPolicy.execution_policy, allowed_roles: [...ROLES] } }
  const rights = (...roles: Role[]): LaneRights => ({ principal: { principal_id: keyHash(key), public_key: key, roles }, scope: { principal_id: keyHash(key), prefixes: [''], programs: [NONE] }, policy })
  const leafOf = (kind: KindName): { leaf: Leaf, payload: Uint8Array | undefined } => {
    const body = bodies.get(`Body(${kind})`)
    const body_hash = (body?.reference.slice(4) ?? '0'.repeat(64)) as Hash
    return { leaf: { kind: KIND[kind], logseq: 1, body_hash }, payload: body === undefined ? undefined : fromHex(body.payload) }
  }

  it.each<{ kind: KindName, roles: Role[] }>(vectors.roles)('$kind: $roles', ({ kind, roles }) => {
    const { leaf, payload } = leafOf(kind)
    for (const role of ROLES) {
      const { status, code } = judgeLeaf(leaf, payload, rights(role))
      expect([role, status, code]).toEqual(roles.includes(role) ? [role, 'accepted', 'accepted'] : [role, 'rejected', 'role-missing'])
    }
  })

  it('the table has every kind', () => {
    expect(vectors.roles.map((r: { kind: string }) => r.kind)).toEqual(Object.keys(KIND))
  })
})

describe('E1 fork evidence', () => {
  it.each<ForkEvidence & { holds: boolean, why?: string }>(vectors.evidence)('holds: $holds $why', ({ holds, why: _, ...evidence }) => {
    expect(evidenceHolds(evidence)).toBe(holds)
  })
})

describe('the Merkle log', () => {
  const { roots, inclusion, consistency, range } = vectors.merkle
  it('roots', () => {
    const log = new LeafLog()
    const longest = roots.at(-1).size as number
    for (let i = 0; i < longest; i++) log.append(encodeLeaf({ kind: KIND.tick, logseq: i + 1, body_hash: '0'.repeat(64) as Hash }))
    for (const { size, root } of roots) expect(log.root(size)).toBe(root)
  })

  it.each<Proof & { leaf_hash: Hash, index: number, size: number, root: Hash }>(inclusion)('inclusion of $index in $size: $holds $why', ({ holds, leaf_hash, ...proof }) => {
    expect(verifyInclusion({ ...proof, leafHash: leaf_hash })).toBe(holds)
  })

  it.each<Proof & { first: number, second: number, first_root: Hash, second_root: Hash }>(consistency)('consistency of $first and $second: $holds $why', ({ holds, first_root, second_root, ...proof }) => {
    expect(verifyConsistency({ ...proof, firstRoot: first_root, secondRoot: second_root })).toBe(holds)
  })

  it.each<Proof & { leaves: string, first: number, size: number, root: Hash }>(range)('range from $first of $size: $holds $why', ({ holds, leaves, ...proof }) => {
    expect(verifyRange({ ...proof, leaves: fromHex(leaves) })).toBe(holds)
  })
})

describe('S-5 signatures', () => {
  it.each<{ purpose: Purpose, message: string }>(vectors.signatures.messages)('what is signed for $purpose', ({ purpose, message }) => {
    expect(toHex(signedMessage(purpose, vectors.signatures.target))).toBe(message)
  })

  it.each<{ holds: boolean, why?: string, target: never, purpose: Purpose, public_key: PublicKey, signature: string }>(vectors.signatures.cases)('holds: $holds $why', ({ holds, why: _, ...signature }) => {
    expect(signatureHolds(signature)).toBe(holds)
    expect(nobleVerifier.verify(signature.public_key, signedMessage(signature.purpose, signature.target), fromHex(signature.signature))).toBe(holds)
  })
})
