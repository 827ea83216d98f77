/** Root entries, manifests and what these name, explained. Source: RULES M1-M9, T1. */
import { NONE, type Reference, referenceOfHash } from '../../substrate/reference.js'
import { domainText } from '../../substrate/domain-id.js'
import { signatureCodec } from '../../substrate/signature.js'
import { TAG, tagName } from '../../substrate/type-tags.js'
import type { DomainKnowledge } from '../knowledge.js'
import type { JudgedManifest } from '../judge-manifest.js'
import { verdict } from '../verdict.js'
import { check, counted, type Explained, node, short } from './tree.js'
import { type Calling, manifestWords } from './words.js'
import { wayOut } from './ways-out.js'

/** Whom and what an explanation speaks of. One for each tree. */
export interface Scene {
  readonly k: DomainKnowledge
  readonly calling: Calling
  /** what stands in the tree in full already */
  readonly seen: Set<string>
  /** whether this machine signed a manifest of its own domain, or went on from it; undefined where nothing says so. Of a fork it is what a person chooses by. */
  readonly signedHere?: SignedHere
}

export type SignedHere = (k: DomainKnowledge, manifest: Reference) => boolean | undefined

export const sceneOf = (k: DomainKnowledge, calling: Calling = () => undefined, signedHere?: SignedHere): Scene => ({ k, calling, seen: new Set(), ...(signedHere === undefined ? {} : { signedHere }) })

/** Whether `ref` is to be shown in full: each is once, at its first place. */
export function firstTime ({ seen }: Scene, ref: string): boolean {
  if (seen.has(ref)) return false
  seen.add(ref)
  return true
}

/** root entries and manifests before one that are shown in full; the rest says its verdict */
const DEEP = 8

export function explainEntry (scene: Scene, ref: Reference, depth = 0): Explained {
  const { k } = scene
  const { rootChain, verdictOf } = k.authority()
  const j = rootChain.judged.get(ref)
  const v = verdictOf(ref)
  if (j === undefined) return node(`the root entry ${short(ref)}`, v, { ref })
  const set = k.objects.rootSets.get(j.entry.root_set)
  const signers = set === undefined ? 'a root set that isn\'t held' : `${set.threshold} of ${counted(set.root_keys.length, 'root key')}`
  const what = `root entry of epoch ${j.entry.epoch} (${j.kind}), signed by ${signers}`
  const out = wayOut(v.code, { domain: k.domain })
  // The genesis of a domain is its DomainID: it stands for both.
  if (depth >= DEEP || (!firstTime(scene, `entry ${ref}`))) return node(what, v, { ref, brief: true, wayOut: out })
  const key = k.objects.certificates.get(j.entry.certificate)?.subject_pubkey
  const before = j.entry.previous === NONE ? [] : [explainEntry(scene, j.entry.previous, depth + 1)]
  return node(what, v, {
    ref,
    checks: [
      ...key === undefined ? [] : [check('M5', true, `the key ${short(key)} signs manifests in this epoch`)],
      ...j.entry.base === NONE ? [] : [check('M7', k.authority().judged.get(j.entry.base)?.verdict.status === 'accepted', `manifests go on from ${manifestTitle(k, j.entry.base)}`)],
    ],
    because: before,
    wayOut: out
  })
}

function manifestTitle (k: DomainKnowledge, ref: Reference): string {
  const authority = k.authority()
  const j = authority.judged.get(ref)
  const at = authority.position.get(ref)
  if (j === undefined) return `the manifest ${short(ref)}`
  return `manifest ${j.manifest.version}, ${at === undefined ? 'not on the accepted chain' : `position ${at + 1} of ${authority.onChain.length} on the accepted chain`}`
}

/** M8: nothing of the domain rests on it. */
export function explainMove (scene: Scene, ref: Reference): Explained {
  const { judgedMoves, verdictOf } = scene.k.authority()
  const move = judgedMoves.get(ref)?.move
  return node(`the word of the roots that the domain moved${move === undefined ? '' : ` to ${domainText(move.to)}`}`, verdictOf(ref), { ref, because: move === undefined ? [] : [explainEntry(scene, move.root_entry, DEEP)] })
}

export function explainManifest (scene: Scene, ref: Reference, depth = 0): Explained {
  const { k } = scene
  const authority = k.authority()
  const v = authority.verdictOf(ref)
  const j = authority.judged.get(ref)
  const own = v.code === 'authority-forked' ? scene.signedHere?.(k, ref) : undefined
  const what = `${manifestTitle(k, ref)}${own === undefined ? '' : own ? ', this machine\'s own' : ', not signed by this machine'}`
  const out = v.code === 'authority-forked' || v.code === 'root-forked' ? wayOut(v.code, { domain: k.domain }) : undefined
  if (j === undefined || depth > 0 || !firstTime(scene, ref)) return node(what, v, { ref, brief: true, wayOut: out })
  return node(what, v, { ref, checks: sayings(scene, j), because: becauseOf(scene, j, depth), wayOut: out })
}

function sayings (scene: Scene, j: JudgedManifest): ReturnType<typeof check>[] {
  const before = scene.k.authority().judged.get(j.manifest.previous)?.manifest
  return [
    check('M1', true, `its root_key is ${short(j.manifest.root_key)}`),
    ...manifestWords(scene.k, j, before, scene.calling).map((text) => check(/^(ends|anchors)/.test(text) ? 'M4' : /^(closes|drops)/.test(text) ? 'M3' : 'T2', true, text))
  ]
}

function becauseOf (scene: Scene, j: JudgedManifest, depth: number): Explained[] {
  const { previous, root_entry: entry } = j.manifest
  return [explainEntry(scene, entry), ...previous === NONE ? [] : [explainManifest(scene, previous, depth + 1)]]
}

/** Root sets, certificates, policies, cut lists and signatures. */
export function explainObject (scene: Scene, ref: Reference): Explained {
  const { k } = scene
  const artifact = k.artifact(ref)
  const what = `${tagName(artifact?.typeTag)} of ${artifact?.payload.length ?? 0} bytes`
  if (artifact?.typeTag === TAG.signature) {
    const { target, purpose, public_key: key } = signatureCodec.from(artifact)
    return node(`the signature of ${short(key)} over ${short(target)}`, verdict('accepted'), {
      ref,
      checks: [check('T1', true, `it holds under the one rule, for the purpose ${purpose}`)],
      because: [k.authority().judgedMoves.has(target) ? explainMove(scene, target) : k.authority().judged.has(target) ? explainManifest(scene, target) : k.authority().rootChain.judged.has(target) ? explainEntry(scene, target) : node(short(target), k.authority().verdictOf(target), { ref: target, brief: true })]
    })
  }
  return node(what, k.authority().verdictOf(ref), { ref, because: namedBy(scene, ref) })
}

/** What gives an object that others name its standing. */
function namedBy (scene: Scene, ref: Reference): Explained[] {
  const { k } = scene
  const authority = k.authority()
  const out: Explained[] = []
  for (const j of authority.rootChain.judged.values()) {
    const policy = k.objects.certificates.get(j.entry.certificate)?.policy_hash
    if (j.entry.root_set === ref || j.entry.certificate === ref || (policy !== undefined && referenceOfHash(policy) === ref)) out.push(explainEntry(scene, j.ref))
  }
  for (const j of authority.judged.values()) {
    for (let at = j.manifest.cuts; at !== NONE; at = k.objects.cutLists.get(at)?.next ?? NONE) {
      if (at === ref) out.push(explainManifest(scene, j.ref))
    }
  }
  return out.slice(0, DEEP)
}
