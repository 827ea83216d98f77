/** Lanes, heads, records, names and proofs of equivocation, explained. Source: RULES L1-L5, R2-R7, K3, K4, E1-E5, A2, S1. */
import { kindName, readLeaf } from '../../publication/leaf.js'
import { INTERNAL } from '../../publication/lane.js'
import { showName } from '../../publication/names.js'
import type { Reference } from '../../substrate/reference.js'
import type { ViewedLane } from '../domain-view.js'
import { endedInWords, endedUnder } from '../ended-names.js'
import { type ErasedName, erasedUnder, erasureInWords, namelessInWords, type Placed } from '../erasures.js'
import { judgeLane, judgeName, judgeRecord, judgeReference } from '../judge-record.js'
import { type Head, liesOn, linkOf } from '../lane-knowledge.js'
import { nameOf } from '../lane-reach.js'
import { cutsOf } from '../lane-view.js'
import type { DomainKnowledge } from '../knowledge.js'
import { scopeHasName } from '../manifest.js'
import { type Check, verdict, type Verdict } from '../verdict.js'
import { explainManifest, firstTime, type Scene } from './authority.js'
import { check, counted, type Explained, node, short } from './tree.js'
import { calledBy, cutWords, scopeWords } from './words.js'
import { wayOut } from './ways-out.js'

/** further records, vouches and heads that one node lists */
const MOST = 8

const subject = ({ k }: Scene, v: ViewedLane): Parameters<typeof wayOut>[1] => ({ domain: k.domain, lane: v.knowledge.ref, principal: v.knowledge.lane.principal })

export function explainLane (scene: Scene, v: ViewedLane): Explained {
  const { k } = scene
  const { knowledge: { ref, lane, evidence } } = v
  const title = `the ${lane.visibility === INTERNAL ? 'internal ' : ''}lane ${short(ref)} of ${calledBy(scene.calling, lane.principal)}`
  const judged = judgedLane(k, v)
  const out = wayOut(v.contested ? 'lane-forked' : judged.code, subject(scene, v)) ?? leftBehind(scene, v)
  if (!firstTime(scene, ref)) return node(title, judged, { ref, brief: true, wayOut: out })
  return node(title, judged, {
    ref,
    checks: laneChecks(scene, v),
    because: [explainManifest(scene, lane.manifest), ...cutters(scene, v), ...evidence === undefined ? [] : [explainEvidence(scene, v)], ...vouchers(scene, ref)],
    wayOut: out
  })
}

/** K5: a lane that counts, and goes on beyond a cut. */
function leftBehind (scene: Scene, v: ViewedLane): ReturnType<typeof wayOut> {
  const ended = cutsOf(v.knowledge, scene.k.authority()).cuts.some((c) => c.ends)
  return ended && v.limit < v.knowledge.held ? wayOut('cut', subject(scene, v)) : undefined
}

export function laneChecks (scene: Scene, v: ViewedLane): Check[] {
  const { k } = scene
  const { lane, evidence } = v.knowledge
  const authority = k.authority()
  const at = authority.position.get(lane.manifest)
  const version = at === undefined ? undefined : authority.onChain[at]?.manifest.version
  const { rights } = v
  const exported = k.view().lanes.get(v.knowledge.ref)?.exported ?? 0
  return [
    check('L1', at !== undefined, at === undefined ? `it stands under the manifest ${short(lane.manifest)}, which is not on the accepted chain` : `it stands under manifest ${String(version)} for ever`),
    rights === undefined
      ? check('M1', false, 'that manifest doesn\'t give its principal any role')
      : check('M1', true, `there its principal has the roles ${rights.principal.roles.join(', ')} on ${scopeWords(rights.scope)}`),
    check('L3', v.limit > 0, `${v.limit} of ${counted(v.knowledge.held, 'record')} held count`),
    ...v.stop === undefined ? [] : [check('R3', false, `record ${v.stop.index} stops it: ${v.stop.code}`)],
    evidence === undefined ? check('E4', true, 'no equivocation is known') : check('E4', false, `its key signed two histories that differ from record ${evidence.index} on`),
    check('A2', exported > 0, exported > 0 ? `${counted(exported, 'record')} exported` : 'nothing of it is exported')
  ]
}

/** K1, K3, K4: the manifests that cut, anchor or close it. */
function cutters (scene: Scene, v: ViewedLane): Explained[] {
  const { k } = scene
  const { lane, ref } = v.knowledge
  const authority = k.authority()
  const opened = authority.position.get(lane.manifest) ?? Infinity
  const out: Explained[] = []
  authority.onChain.forEach((m, position) => {
    const cut = m.cuts.get(ref)
    const closes = position > opened && m.manifest.closed.includes(lane.principal)
    if (cut === undefined && !closes) return
    const words = cut === undefined ? 'closes its principal and doesn\'t list it: it ends at 0' : cutWords(k, ref, cut.snapshot, cut.ends || closes)
    out.push(node(`manifest ${m.manifest.version} ${words}`, authority.verdictOf(m.ref), { ref: m.ref, brief: true }))
  })
  return out.slice(-MOST)
}

/** In the owner's own view every lane counts as exported; what is judged is what followers see. */
export function judgedLane (k: DomainKnowledge, v: ViewedLane): Verdict {
  return judgeLane(k, k.view().lanes.get(v.knowledge.ref) ?? v)
}

export function explainEvidence (scene: Scene, v: ViewedLane): Explained {
  const { evidence, evidenceRef } = v.knowledge
  if (evidence === undefined) return node('no proof of a fork', verdict('not-held'))
  return node(`a proof that two heads of this lane, both signed by ${short(evidence.public_key)}, differ from record ${evidence.index} on`, verdict('accepted'), {
    ref: evidenceRef,
    checks: [
      check('E1', true, `one head holds ${counted(evidence.a.log_size, 'record')}, the other ${evidence.b.log_size}; both inclusion paths verify`),
      check('E4', true, `no node takes the lane beyond record ${v.limit}; its publisher has to open a new one`)
    ],
    brief: !firstTime(scene, evidenceRef ?? ''),
    wayOut: v.contested ? wayOut('lane-forked', subject(scene, v)) : undefined
  })
}

/** A2: the records that made it visible, or exported it. */
function vouchers (scene: Scene, lane: Reference): Explained[] {
  const { k } = scene
  const out: Explained[] = []
  for (const [by, v] of k.viewAll().lanes) {
    v.judged.forEach(({ body, status }, index) => {
      if (body?.kind !== 'vouch' || status !== 'accepted' || body.lane !== lane) return
      const size = k.lanes.get(lane)?.heads.get(body.snapshot)?.snapshot.log_size
      const roles = v.rights?.principal.roles ?? []
      const does = [...roles.includes('publish') ? ['makes visible'] : [], ...roles.includes('federate') ? ['exports'] : []].join(' and ')
      out.push(node(`record ${index} of the lane ${short(by)} of ${calledBy(scene.calling, v.knowledge.lane.principal)} ${does} ${size === undefined ? 'a head that isn\'t held' : counted(size, 'record')} of it`, judgeRecord(k, by, index), { ref: body.snapshot, brief: true }))
    })
  }
  return out.slice(-MOST)
}

export function explainHead (scene: Scene, v: ViewedLane, head: Head, alone = true): Explained {
  const { log_size: size, logseq } = head.snapshot
  const link = v.log === undefined ? 'beyond' : linkOf(v.log, head)
  const what = `a head of the lane ${short(v.knowledge.ref)}: ${counted(size, 'record')}, logseq ${logseq}`
  return node(what, judgeReference(scene.k, head.ref), {
    ref: head.ref,
    checks: [
      check('S1', true, `signed by the lane's key ${short(head.signature.public_key)}`),
      check('L3', link === 'on', link === 'on' ? `${counted(size, 'record hashes', 'records hash')} to its root` : link === 'beyond' ? 'the records up to it aren\'t held' : 'it doesn\'t lie on the history in force')
    ],
    because: alone ? [explainLane(scene, v)] : []
  })
}

/** The greatest head held that covers the record. */
function covering (v: ViewedLane, index: number): Head | undefined {
  const heads = [...v.knowledge.heads.values()].filter((h) => h.snapshot.log_size > index && v.log !== undefined && liesOn(v.log, h))
  return heads.sort((a, b) => b.snapshot.log_size - a.snapshot.log_size || (a.ref < b.ref ? -1 : 1))[0]
}

export function explainRecord (scene: Scene, v: ViewedLane, index: number, brief = false): Explained {
  const { k } = scene
  const { ref } = v.knowledge
  const judged = judgeRecord(k, ref, index)
  const leaf = v.log === undefined || index >= v.log.size ? undefined : readLeaf(v.log.leaf(index))
  const kind = kindName(leaf?.kind ?? 0) ?? `kind ${leaf?.kind ?? 'unknown'}`
  const j = v.judged[index]
  const name = j === undefined ? undefined : nameOf(j)
  const what = `record ${index} of the lane ${short(ref)} of ${calledBy(scene.calling, v.knowledge.lane.principal)}: ${kind}${name === undefined ? '' : ` ${showName(name)}`}`
  const out = wayOut(judged.code, subject(scene, v))
  if (brief) return node(what, judged, { ref: `${ref}:${index}`, brief: true })
  const head = covering(v, index)
  const roles = v.rights?.principal.roles.join(', ') ?? 'no role'
  return node(what, judged, {
    ref: `${ref}:${index}`,
    checks: [
      ...leaf === undefined ? [] : [check('R3', v.stop === undefined || v.stop.index > index, `logseq ${leaf.logseq}`)],
      ...j === undefined ? [] : [check('R2', j.status === 'accepted', `${kind} by a key with ${roles}${v.rights === undefined || name === undefined ? '' : ` on ${scopeWords(v.rights.scope)}`}: ${j.code}`)],
      check('L3', index < v.limit, `${v.limit} of ${counted(v.knowledge.held, 'record')} of its lane count`)
    ],
    because: [...head === undefined ? [] : [explainHead(scene, v, head, false)], explainLane(scene, v)],
    wayOut: out
  })
}

/** Records that speak of `name`, the greatest first. */
function speaking ({ k }: Scene, name: string): Array<{ v: ViewedLane, index: number, logseq: number }> {
  const out: Array<{ v: ViewedLane, index: number, logseq: number }> = []
  for (const v of k.viewAll().lanes.values()) {
    v.judged.forEach((j, index) => {
      if (nameOf(j) === name) out.push({ v, index, logseq: j.leaf.logseq })
    })
  }
  return out.sort((a, b) => b.logseq - a.logseq)
}

/** The leaves that erased it, each once; where it can't be told what was erased, all that erased something so. */
function erasers (gone: ErasedName | undefined): Placed[] {
  const out = new Map<string, Placed>()
  for (const { by } of [...gone?.records ?? [], ...gone?.nameless ?? []]) for (const at of by) out.set(`${at.v.knowledge.ref}:${at.index}`, at)
  return [...out.values()].slice(0, MOST)
}

/** A published name: the record that says what it is, those that it overtook, and what makes it doubtful. */
export function explainName (scene: Scene, name: string): Explained {
  const { k } = scene
  const entry = k.view().current.get(name) ?? k.viewAll().current.get(name)
  const doubt = [...k.view().lanes.values()].filter((v) => v.contested && v.considered && v.rights !== undefined && scopeHasName(v.rights.scope, name))
  const records = speaking(scene, name)
  const v = entry === undefined ? undefined : k.viewAll().lanes.get(entry.lane)
  const others = records.filter((r) => r.v.knowledge.ref !== entry?.lane || r.index !== entry.index)
  const first = doubt[0]
  const gone = entry === undefined ? erasedUnder(k, name) : undefined
  const isErased = gone !== undefined && gone.records.length > 0
  const ended = entry === undefined && !isErased ? endedUnder(k, name) : []
  const last = ended.at(-1)
  const judged = isErased ? verdict('erased') : last === undefined ? judgeName(k, name) : verdict(last.code)
  const caveat = gone === undefined ? undefined : namelessInWords(gone)
  return node(`the name ${showName(name)}`, judged, {
    ...entry === undefined ? {} : { ref: entry.ref },
    checks: [
      check('R4', entry !== undefined, entry === undefined ? 'no record in force speaks of it' : `of ${counted(records.length, 'record')} about it the greatest, logseq ${entry.logseq}: ${entry.kind}`),
      ...isErased ? gone.records.slice(0, MOST).map((e) => check('R7', false, erasureInWords(e))) : [],
      ...ended.slice(-MOST).map((e) => check(e.code === 'cut' ? 'K3' : 'K1', false, endedInWords(e))),
      ...caveat === undefined ? [] : [check('R7', false, caveat)],
      ...first === undefined ? [] : [check('E5', false, `${calledBy(scene.calling, first.knowledge.lane.principal)}, who may publish it, signed two histories: it may be rolled back`)]
    ],
    because: [
      ...v === undefined || entry === undefined ? [] : [explainRecord(scene, v, entry.index)],
      ...doubt.map((d) => explainLane(scene, d)),
      ...others.slice(0, MOST).map((r) => explainRecord(scene, r.v, r.index, true)),
      ...ended.slice(-MOST).map((r) => explainRecord(scene, r.v, r.index, true)),
      ...erasers(gone).map((r) => explainRecord(scene, r.v, r.index, true))
    ],
    wayOut: first === undefined ? wayOut(judged.code, v === undefined && last === undefined ? { domain: k.domain } : subject(scene, (v ?? last?.v) as ViewedLane)) : wayOut('contested', subject(scene, first))
  })
}
