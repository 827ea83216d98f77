/** Principals and the other keys of a domain, explained: who they are, what they may, since when, and which lanes are theirs. Source: RULES L1, M1-M3, K1. */
import { keyHash } from '../shapes.js'
import type { Hash, PublicKey } from '../../substrate/reference.js'
import type { DomainKnowledge } from '../knowledge.js'
import { verdict, type VerdictCode } from '../verdict.js'
import { explainEntry, explainManifest, type Scene } from './authority.js'
import { judgedLane } from './lane.js'
import { check, counted, type Explained, node, short } from './tree.js'
import { calledBy, rightsWords } from './words.js'
import { wayOut } from './ways-out.js'

/** Principal ids that some held manifest lists, and which begin with `digits`; a public key is taken for its id. */
export function principalsOf (k: DomainKnowledge, digits: string): Hash[] {
  const out = new Set<Hash>()
  for (const { manifest } of k.authority().judged.values()) {
    for (const p of manifest.principals) if (p.principal_id.startsWith(digits) || p.public_key.startsWith(digits)) out.add(p.principal_id)
  }
  return [...out].sort()
}

export function explainPrincipal (scene: Scene, id: Hash): Explained {
  const { k } = scene
  const authority = k.authority()
  const says = authority.onChain.flatMap((m, position) => {
    const at = m.manifest.principals.findIndex((p) => p.principal_id === id)
    const [p, s] = [m.manifest.principals[at], m.manifest.scope[at]]
    return [{ m, position, closed: m.manifest.closed.includes(id), rights: p === undefined || s === undefined ? undefined : rightsWords(p, s), key: p?.public_key }]
  })
  const listed = says.filter((s) => s.rights !== undefined)
  const now = says.at(-1)
  const code: VerdictCode = now?.rights !== undefined ? 'accepted' : listed.length === 0 ? 'manifest-off-chain' : 'closed'
  const lanes = [...k.viewAll().lanes.values()].filter((v) => v.knowledge.lane.principal === id)
  const forked = lanes.find((v) => v.contested)
  const key = listed.at(-1)?.key
  // Where its rights changed, by granting, changing, closing or dropping.
  const turns = says.filter((s, i) => s.closed || s.rights !== says[i - 1]?.rights)
  return node(`the principal ${calledBy(scene.calling, id)}`, verdict(code), {
    ref: id,
    checks: [
      ...key === undefined ? [] : [check('M1', true, `its public key is ${key}`)],
      check('L1', now?.rights !== undefined, now?.rights === undefined ? `manifest ${now?.m.manifest.version ?? '?'} doesn't list it: it may do nothing new` : `manifest ${now.m.manifest.version} gives it ${now.rights}`),
      ...turns.map((s) => check(s.closed ? 'M3' : 'M1', !s.closed && s.rights !== undefined, `manifest ${s.m.manifest.version}: ${s.rights ?? (s.position === 0 ? 'not listed' : 'no longer listed')}${s.closed ? '; its earlier lanes end where that manifest says' : ''}`)),
      check('L1', lanes.length > 0, `${counted(lanes.length, 'lane')} of it held`)
    ],
    because: [
      ...now === undefined ? [] : [explainManifest(scene, (listed.at(-1) ?? now).m.ref)],
      ...lanes.map((v) => node(`the lane ${short(v.knowledge.ref)}: ${v.limit} of ${counted(v.knowledge.held, 'record')} held count`, judgedLane(k, v), { ref: v.knowledge.ref, brief: true }))
    ],
    wayOut: forked === undefined ? undefined : wayOut('lane-forked', { domain: k.domain, principal: id })
  })
}

/** A root_key or an offline root key; undefined when the domain knows no such key. `digits` begin it, or the hash of it. */
export function explainKey (scene: Scene, digits: string): Explained | undefined {
  const { k } = scene
  const is = (key: PublicKey): boolean => key.startsWith(digits) || keyHash(key).startsWith(digits)
  const { rootChain } = k.authority()
  const entries = [...rootChain.judged.values()].filter((j) => j.verdict.status === 'accepted')
  const signing = entries.filter((j) => j.certificate !== undefined && is(j.certificate.subject_pubkey))
  const offline = entries.filter((j) => j.rootSet?.root_keys.some(is) === true)
  const [found] = [...signing, ...offline]
  if (found === undefined) return undefined
  const key = signing.length > 0 ? found.certificate?.subject_pubkey : found.rootSet?.root_keys.find(is)
  const epochs = (list: typeof entries): string => list.map((j) => j.entry.epoch).join(', ')
  return node(signing.length > 0 ? `the root_key ${short(key ?? digits)}` : `the offline root key ${short(key ?? digits)}`, verdict('accepted'), {
    ref: key,
    checks: [
      ...signing.length === 0 ? [] : [check('M5', true, `it signs manifests in epoch ${epochs(signing)}`)],
      ...offline.length === 0 ? [] : [check('T1', true, `it is one of the roots of epoch ${epochs(offline)}`)]
    ],
    because: [...new Set([...signing, ...offline].map((j) => j.ref))].slice(-3).map((ref) => explainEntry(scene, ref))
  })
}
