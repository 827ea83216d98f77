/**
 * Rules of judging taken out one at a time, each caught by the vectors of verdicts or by the properties over whole worlds. One that nothing catches is a
 * rule that nobody would miss: then a vector is missing, never a rule.
 */
import type { Mutant } from './mutant.js'

const ROOT = 'src/authority/root-chain.ts'
const JUDGE = 'src/authority/judge-manifest.ts'
const CUTS = 'src/authority/cut-chain.ts'
const CHAIN = 'src/authority/manifest-chain.ts'
const VIEW = 'src/authority/domain-view.ts'
const EXPORTS = 'src/authority/exports.ts'
const LANE = 'src/authority/lane-view.ts'
const HELD = 'src/authority/lane-knowledge.ts'
const LEAF = 'src/authority/leaf-rules.ts'
const OBJECTS = 'src/authority/held-objects.ts'
const POLICY = 'src/authority/policy.ts'
const MOVES = 'src/authority/moves.ts'
const REPLACED = 'src/federation/replaced.ts'
const VERDICTS = ['test/federation/attacks-verdicts.test.ts']
const GARBAGE = ['test/federation/garbage.test.ts']

const of = (rule: string, file: string, find: string, replace: string): Mutant => ({ name: rule, file, find, replace, tests: RULE_TESTS })

/** The fast suites that have to miss a rule. */
export const RULE_TESTS = ['test/conformance/verdicts.test.ts', 'test/authority/worlds.test.ts']

export const RULE_MUTANTS: readonly Mutant[] = [
  of('T1 threshold', ROOT, 'if (count < set.threshold)', 'if (count < 1)'),
  of('T1 distinct keys of the set', ROOT, 'return set.root_keys.filter((key) => objects.signature(ref, purpose, key) !== undefined).length', 'return set.root_keys.some((key) => objects.signature(ref, purpose, key) !== undefined) ? set.threshold : 0'),
  of('T1 purpose', OBJECTS, 'const slot = (purpose: Purpose, key: PublicKey): string => `${purpose}/${key}`', 'const slot = (_purpose: Purpose, key: PublicKey): string => key'),
  of('T1 a signature holds', OBJECTS, 'if (!signatureHolds(signature)) return failed', 'if (!signatureHolds(signature) && signature.target === \'\') return failed'),
  of('T1 one signature a key, the same on every node', OBJECTS, 'if (held !== undefined && held < ref) return \'known\'', 'if (held !== undefined) return \'known\''),
  of('M1 signed by the certified key', JUDGE, 'if (objects.signature(ref, \'manifest\', m.root_key) === undefined)', 'if (objects.signature(ref, \'manifest\', m.root_key) === undefined && ref === NONE)'),
  of('M1 the certified key', JUDGE, 'if (m.root_key !== certificate.subject_pubkey)', 'if (m.root_key !== certificate.subject_pubkey && ref === NONE)'),
  of('M1 the certified policy', JUDGE, 'if (m.policy_hash !== certificate.policy_hash)', 'if (m.policy_hash !== certificate.policy_hash && ref === NONE)'),
  of('M1 version', JUDGE, 'if (m.version !== held.version + 1)', 'if (m.version <= held.version)'),
  of('M1 previous valid: rejected', JUDGE, 'if (status === \'rejected\') return checks.fail(\'previous-rejected\'', 'if (status === \'void\') return checks.fail(\'previous-rejected\''),
  of('M1 previous valid: deferred', JUDGE, 'if (status !== \'accepted\') return checks.fail(\'previous-deferred\'', 'if (status === \'void\') return checks.fail(\'previous-deferred\''),
  of('M1 offline root as root_key', JUDGE, 'if (entry.rootKeys.has(m.root_key))', 'if (entry.rootKeys.has(m.root_key) && ref === NONE)'),
  of('M1 offline root as principal', JUDGE, 'entry.rootKeys.has(p.public_key))', 'entry.rootKeys.has(p.public_key) && ref === NONE)'),
  of('M1 offline roots of sets before', ROOT, 'ok ? before.with(set.root_keys)', 'ok ? NO_KEYS.with(set.root_keys)'),
  of('M1 nobody returns', JUDGE, 'if (back !== undefined)', 'if (back !== undefined && m.version === 0)'),
  of('M1 nobody returns later', JUDGE, '(previous?.seen ?? NONE_SEEN).with(', 'NONE_SEEN.with('),
  of('M1 the policy is held', JUDGE, 'if (policy === undefined) return notHeld(objects, \'policy-missing\', \'its policy\', ref, checks)', 'if (policy === undefined) return undefined'),
  of('M1 cut lists are held', JUDGE, 'if (fault.after === undefined) return notHeld(objects, \'cut-list-missing\', \'a cut list\', fault.at, checks)', 'if (fault.after === undefined) return undefined'),
  of('M1 the certificate is held', ROOT, 'if (c === undefined) return notHeld(objects, \'certificate-missing\', \'the certificate\', entry.certificate, checks)', 'if (c === undefined) return undefined'),
  of('M3 dropped', JUDGE, 'if (at === undefined) return \'is dropped\'', 'if (at === undefined) return undefined'),
  of('M3 role', JUDGE, 'if (!old.roles.every((role) => now.roles.includes(role))) return \'loses a role\'', 'if (now.roles.length < 0) return \'loses a role\''),
  of('M3 scope', JUDGE, 'return scopeCovers(m.scope[at] as Scope, oldScope) ? undefined :', 'return scopeCovers(m.scope[at] as Scope, oldScope) || m.scope.length > 0 ? undefined :'),
  of('M4 cuts of closed principals end', LANE, 'ends: cut.ends || closes', 'ends: cut.ends'),
  of('M4 order of lists', CUTS, 'if (next !== undefined && after >= firstLane(next)) return', 'if (next !== undefined && after === NONE) return'),
  of('M5 epoch', ROOT, 'entry.epoch !== held.epoch + 1', 'entry.epoch <= held.epoch'),
  of('M5 renew keeps the commitment', ROOT, 'if (entry.next_commitment !== previous.entry.next_commitment)', 'if (entry.next_commitment === ref)'),
  of('M5 renew has no salt', ROOT, 'if (entry.salt !== ZERO_32)', 'if (entry.salt === ref)'),
  of('M5 rotate opens the commitment', ROOT, 'if (rootCommitment(entry.salt, entry.root_set) !== previous.entry.next_commitment)', 'if (rootCommitment(entry.salt, entry.root_set) === ref)'),
  of('M5 a fresh commitment', ROOT, 'if (previous.commitments.has(entry.next_commitment))', 'if (previous.entry.next_commitment === entry.next_commitment)'),
  of('M5 the certificate\'s issuer', ROOT, 'if (c.issued_by !== set.root_keys[0])', 'if (c.issued_by === \'\')'),
  of('M5 the certificate\'s version', ROOT, 'if (c.version !== entry.epoch)', 'if (c.version < 0)'),
  of('M6 the rotate wins', ROOT, 'if (winners.length === 1) {', 'if (winners.length > 1e9) {'),
  of('M6 a rotate further down its branch settles', ROOT, 'if (out.has(j.ref) && judged.get(j.entry.previous)?.kind === \'renew\') out.add(j.entry.previous)', ''),
  of('M6 two rotates never settle', ROOT, 'if (winners.length === 1) {', 'if (winners.length >= 1) {'),
  of('M6 what comes after the rotate plays no part', ROOT, 'const winners = next.filter((j) => settling.has(j.ref))', 'const winners = next.filter((j) => children.has(j.ref))'),
  of('M7 the base ends the epoch before', CHAIN, 'const children = childrenIn(top.ref, judged)\n  let next = children.get(base) ?? []', 'const children = childrenIn(top.ref, judged)\n  let next = children.get(base) ?? childrenIn(judged.get(base)?.manifest.root_entry ?? base, judged).get(base) ?? []'),
  of('M7 a fork stops the chain', CHAIN, 'while (next.length === 1) {', 'while (next.length >= 1) {'),
  of('M7 what either branch takes away waits', CHAIN, 'if (ofManifests.has(j.ref) || ofRoots.has(j.manifest.root_entry)) take(j)', 'if (ofManifests.has(j.ref) && ofRoots.has(j.manifest.root_entry)) take(j)'),
  of('M7 lanes that either branch takes away wait', LANE, 'if (authority.forked.cutLanes.has(k.ref) || authority.forked.closedPrincipals.has(k.lane.principal))', 'if (authority.forked.cutLanes.has(k.ref) && authority.forked.closedPrincipals.size > 1e9)'),
  of('M7 previous in place', JUDGE, 'if (!based) return', 'if (!based && m.version === 0) return'),
  of('M7 the base lies on the way to its root entry', JUDGE, 'm.previous === entry.entry.base && isAncestor(held.root_entry, entry.entry.previous, entries)', 'm.previous === entry.entry.base'),
  of('M7 authority waits for its base', CHAIN, 'if (held === undefined) return stopped(\'base-missing\', [base])', 'if (held === undefined) return acceptedChain(objects, domain, { ...roots, entries: roots.entries.slice(0, -1) }, judged)'),
  of('M8 retired roots can\'t move a domain', MOVES, 'if (onChain && entries.slice(epoch + 1).some((e) => e.kind === \'rotate\'))', 'if (onChain && entries.length < 0)'),
  of('M8 a branch that lost can\'t move a domain', MOVES, 'if (line !== undefined && !forkChildren.some((child) => line.has(child)))', 'if (line !== undefined && entries.length < 0)'),
  of('M8 a rotation on a branch leaves a move open', MOVES, 'if (disputed) return', 'if (disputed && entries.length < 0) return'),
  of('M8 the purpose of a move', MOVES, 'thresholdFault(objects, ref, \'domain-moved\', ', 'thresholdFault(objects, ref, \'root-entry\', '),
  of('M9 safety switches', POLICY, 'return off.length === 0 ? undefined :', 'return off.length < 99 ? undefined :'),
  of('B5 policies of later versions', POLICY, 'if (policy.version > POLICY_VERSION)', 'if (policy.version > 1e9)'),
  of('K1 unlisted lanes of closed principals', LANE, 'else if (closes) closedOut = true', ''),
  of('K2 heads are signed by the lane\'s own principal', HELD, 'principalId(signature.public_key) === this.lane.principal && signatureHolds(signature)', 'signatureHolds(signature)'),
  of('K3a ending cuts bound', LANE, 'ends = Math.min(ends, at.log_size, common)', 'ends = Math.min(ends, common + 1e9)'),
  of('K3a the conjunction: later cuts never raise', LANE, 'ends = Math.min(ends, at.log_size, common)', 'ends = Math.min(at.log_size, common)'),
  of('K3a on the snapshot\'s own log', LANE, 'other === branch ? at.log_size : firstDifference(branch.log, other.log)', 'other === branch ? at.log_size : at.log_size'),
  of('K3b only lanes opened before', LANE, 'const closes = opened < position &&', 'const closes ='),
  of('K3b the conjunction: a later listing doesn\'t reopen', LANE, 'return { cuts, closedOut }', 'return { cuts, closedOut: closedOut && cuts.length === 0 }'),
  of('K4 anchors choose the branch', LANE, 'if (linked.length > 0) {\n      candidates = linked', 'if (linked.length > 0) {\n      candidates = candidates.concat([])'),
  of('K4 an anchored prefix can\'t be contested', LANE, 'Math.max(anchored, k.evidence.index)', 'k.evidence.index'),
  of('K4 cut-unlinked', LANE, 'if (endUnlinked) return', 'if (endUnlinked && branch === undefined) return'),
  of('E1 a proof is checked', HELD, 'if (!evidenceHolds(e)) return false', ''),
  of('E3 the smallest index', HELD, 'if (e.index > held.index) return false', 'if (held.index >= 0) return false'),
  of('E3 among equals the same proof', HELD, 'forkEvidenceCodec.reference(e) >= (this.evidenceRef as Reference)', 'forkEvidenceCodec.reference(e) !== \'\''),
  of('E4 a forked lane ends', LANE, 'const bound = Math.min(branch.head.snapshot.log_size, forked, ends)', 'const bound = Math.min(branch.head.snapshot.log_size, forked + 1e9, ends)'),
  of('A3 heads that are named are served', VIEW, 'if (view.named.has(head.ref) && v.knowledge.lane.visibility === PUBLISHED) out.push(head)', ''),
  { ...of('M7 anchors defer nothing', CHAIN, 'if (ends) cutLanes.add(lane)', 'cutLanes.add(lane)'), tests: ['test/authority/manifest-chain.test.ts'] },
  of('R5 a lane of a key that its manifest doesn\'t list', LANE, 'if (named !== undefined && principalIndex', 'if (named !== undefined && authority.position.has(k.lane.manifest) && principalIndex'),
  of('E5 contested names', VIEW, 'prefixesCover(flagged, name) ?', 'prefixesCover(flagged, name) && name === \'\' ?'),
  of('E5 until a cut ends the lane', LANE, 'const contested = k.evidence !== undefined && !ended', 'const contested = k.evidence !== undefined'),
  of('L1 under a manifest of the chain', LANE, 'if (!authority.position.has(k.lane.manifest)) {', 'if (!authority.position.has(k.lane.manifest) && !authority.judged.has(k.lane.manifest)) {'),
  of('L1 by that manifest for ever', LANE, 'const entry = authority.onChain[authority.position.get(k.lane.manifest) ?? -1]', 'const entry = authority.onChain.at(-1)'),
  of('L2 internal lanes are never exported', EXPORTS, 'const shown = (v: LaneView): boolean => v.knowledge.lane.visibility === PUBLISHED', 'const shown = (v: LaneView): boolean => v.knowledge.lane.visibility <= PUBLISHED'),
  of('L2 internal lanes are never vouched for', EXPORTS, 'if (target !== undefined && target.knowledge.lane.visibility !== PUBLISHED && !all) continue', ''),
  of('L3 up to the held head', LANE, 'const bound = Math.min(branch.head.snapshot.log_size,', 'const bound = Math.min(Math.max(1, branch.head.snapshot.log_size - 1),'),
  of('L3 each leaf below the limit', LANE, 'judged: judged.slice(0, limit)', 'judged: judged.slice(0, Math.max(0, limit - 1))'),
  of('L5 lanes that `previous` names', EXPORTS, 'else considered.add(owner.knowledge.ref)', ''),
  of('L5 strangers\' lanes aren\'t considered', EXPORTS, 'if (!shown(v) || !v.federates || v.code === \'closed\') continue', 'if (!shown(v)) continue'),
  of('S1 the head\'s logseq', HELD, 'readLeaf(log.leaf(size - 1))?.logseq === logseq ? \'on\' : \'false\'', 'logseq >= 0 ? \'on\' : \'false\''),
  of('R2 role', LEAF, 'if (fitting.length === 0) return', 'if (fitting.length < 0) return'),
  of('R2 audited', LEAF, 'if (body.kind === \'statement\' && body.type === AUDITED &&', 'if (body.kind === \'statement\' && body.type === \'\' &&'),
  of('R2 scope', LEAF, 'if (rule.scoped && \'name\' in body && !scopeHasName(rights.scope, body.name)) return', 'if (rule.scoped && rights.scope.prefixes.length > 1e9) return'),
  of('R2 scope by segments', 'src/publication/names.ts', '(path.length === prefix.length || path[prefix.length] === \'/\')', 'path.length > 0'),
  of('T2 the policy\'s roles', LEAF, 'if (allowed !== undefined && !fitting.some((r) => allowed.includes(r))) return', 'if (allowed !== undefined && fitting.length === 0) return'),
  of('R3 logseq grows', LEAF, 'leaf.logseq < least ||', ''),
  of('R3 the greatest step', LEAF, '|| leaf.logseq > most) return', ') return'),
  of('R3 close is the last leaf', LEAF, 'const closed = before?.kind === KIND.close', 'const closed = before?.kind === -1'),
  of('R4 logseq', VIEW, 'if (a.logseq !== b.logseq) return a.logseq > b.logseq', ''),
  of('R4 reference', VIEW, 'if (a.ref !== b.ref) return a.ref > b.ref', ''),
  of('R4 leaf hash', VIEW, 'return a.leafHash > b.leafHash', 'return a.lane > b.lane'),
  of('R4 arrival decides', VIEW, 'held === undefined || wins(entry, held)', 'held === undefined || entry.logseq >= held.logseq'),
  of('R6 unknown kinds stop', LEAF, 'if (kindName(leaf.kind) === undefined && !isSkippable(leaf.kind)) return', 'if (kindName(leaf.kind) === undefined && leaf.kind < 0) return'),
  of('R6 a malformed body rejects its leaf alone', LEAF, 'if (body === undefined) return { leaf, body, status: \'rejected\', code: \'body-malformed\' }', 'if (body === undefined) return { leaf, body, status: \'deferred\', code: \'body-missing\' }'),
  of('R7 erased leaves have no effect', VIEW, 'v.judged.map((j, i) => ofLane.has(i) ? erasedLeaf(j) : j)', 'v.judged'),
  of('R7 who may erase', VIEW, 'return target.principal === lane.principal || (rights !== undefined && scopeHasName(rights.scope, \'\'))', 'return true'),
  of('L2 a published lane erases nothing internal', VIEW, 'by.visibility === PUBLISHED && target.visibility !== PUBLISHED', 'by === target'),
  of('R7 what lasts', VIEW, 'LASTING.has(leaf.kind) ||', ''),
  of('R7 the leaf that is meant', VIEW, ' || target.log.leafHash(body.index) !== body.leaf_hash) continue', ') continue'),
  of('A2 as far as it is vouched for', EXPORTS, 'const most = Math.min(target.limit, head.snapshot.log_size)', 'const most = target.limit'),
  { ...of('A2 another branch, beyond the fork', EXPORTS, 'on.root(anchored) === log.root(anchored)', 'on.size > 0'), tests: ['test/federation/attacks-views.test.ts'] },
  of('A2 producers need a publisher\'s vouch', EXPORTS, 'const visible = Math.min(v.limit, published.get(ref) ?? 0)', 'const visible = v.limit'),
  of('A2 the union of vouches', EXPORTS, 'into.set(lane, Math.max(into.get(lane) ?? 0, prefix))', 'into.set(lane, prefix)'),
  of('A2 the publisher\'s vouch is exported itself', EXPORTS, 'vouchesIn(v.judged, exported.get(ref) ?? 0)', 'vouchesIn(v.judged, v.judged.length)'),
  of('A3 publishers need a federate key\'s vouch', EXPORTS, 'v.federates ? v.limit : Math.min(v.limit, federated.get(ref) ?? 0)', 'v.limit'),
  of('A3 what was vouched for can\'t be had', EXPORTS, 'if (target?.code !== \'closed\') withheld.add(snapshot)', 'if (target?.code === \'closed\') withheld.add(snapshot)'),
  of('A3 what a cut ends can\'t be missed', EXPORTS, 'if (target?.code !== \'closed\') withheld.add(snapshot)', 'withheld.add(snapshot)'),
  { ...of('R5 a log that nobody passes on decides nothing', EXPORTS, 'v.knowledge.branches.length > 0 && ((v.federates && v.reach > 0) || (exported.get(v.knowledge.ref) ?? 0) > 0)', 'v.knowledge.branches.length > 0'), tests: VERDICTS },
  { ...of('E3 an erase leaf behind a fork', 'src/authority/judge-record.ts', 'if (index >= Math.max(target.anchored, target.knowledge.evidence?.index ?? Infinity)) return verdict(\'no-effect\')', ''), tests: VERDICTS },
  { ...of('M7 what keys of ended epochs sign', 'src/authority/authority-store.ts', 'if ((small && size > OFF_CHAIN.small) || (room -= size) < 0) continue', 'if (small && size > OFF_CHAIN.small) continue'), tests: ['test/federation/attacks-authority.test.ts'] },
  { ...of('R5 judged again without what was let go', 'src/authority/held-objects.ts', '    this.drops++\n', ''), tests: ['test/federation/attacks-authority.test.ts'] },
  { ...of('V5 an anchor over what replaced it', REPLACED, 'entry.logseq < settled && entry.index < (lanes.get(entry.lane)?.anchored ?? 0)', 'entry.logseq < settled'), tests: GARBAGE },
  { ...of('V5 so many records since', REPLACED, 'sort((a, b) => b - a)[kept] ?? -1', 'sort((a, b) => b - a)[0] ?? -1'), tests: GARBAGE },
  { ...of('V5 whatever else names it', REPLACED, 'if (i < shared && gone.has', 'if (gone.has'), tests: GARBAGE },
  { ...of('M2 the policy\'s word on what is unpublished', 'src/federation/garbage.ts', 'retention_policy.gc_unpublished_allowed !== true) return false', 'version !== 1) return false'), tests: GARBAGE }
]
