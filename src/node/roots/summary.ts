/** What a root entry does, in plain words, from the objects alone. The words are part of the signing request's version 1: who signs compares them. */
import type { DomainMoved } from '../../authority/domain-moved.js'
import { manifestWords } from '../../authority/explain/words.js'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import type { DomainAuthorityManifest, Scope } from '../../authority/manifest.js'
import { type DomainPolicy, policyHash } from '../../authority/policy.js'
import type { NewEntry } from '../../authority/renew.js'
import type { OfflineRootSet } from '../../authority/root-set.js'
import { showName } from '../../publication/names.js'
import { domainText } from '../../substrate/domain-id.js'
import { type Reference, referenceOfHash } from '../../substrate/reference.js'

type Entry = Pick<NewEntry, 'ref' | 'entry' | 'certificate' | 'rootSet'>

/** One sentence a line, without signatures: those change while the request travels. `k` holds the domain as it is before. */
export function summaryOf (k: DomainKnowledge, { ref, entry, certificate, rootSet }: Entry): string[] {
  const { rootChain } = k.authority()
  const last = rootChain.entries.at(-1)
  const before = last === undefined ? undefined : rootChain.judged.get(last.ref)
  const held = k.objects.policies.get(referenceOfHash(certificate.policy_hash))
  if (before?.certificate === undefined || before.rootSet === undefined || last === undefined) return genesisSummary(k, ref, entry.next_commitment, certificate.subject_pubkey, rootSet, held)
  const renew = entry.root_set === last.entry.root_set
  const oldKey = before.certificate.subject_pubkey
  return [
    `Domain ${domainText(k.domain)}: epoch ${last.entry.epoch} becomes epoch ${entry.epoch}.`,
    renew
      ? `The offline roots stay the same ${setText(rootSet)}.`
      : `The offline roots are replaced: ${setText(before.rootSet)} go, ${setText(rootSet)} come. The new ones are those that the domain committed to.`,
    renew ? 'The commitment to the next roots stays.' : `The domain commits to a fresh next root set (${entry.next_commitment}).`,
    certificate.subject_pubkey === oldKey ? `The root_key stays ${oldKey}.` : `The root_key ${oldKey} ends; from now on ${certificate.subject_pubkey} signs the manifests.`,
    certificate.policy_hash === before.certificate.policy_hash
      ? `The policy stays ${certificate.policy_hash}.`
      : `The policy changes to ${certificate.policy_hash}: ${policyText(k.objects.policies.get(referenceOfHash(before.certificate.policy_hash)), held)}.`,
    ...baseText(k, entry.base)
  ]
}

/** The same of a move: who signs has to see the whole DomainID, and that it can't simply be taken back. */
export function moveSummary ({ domain_id: domain, to }: DomainMoved, epoch: number, rootSet: OfflineRootSet): string[] {
  return [
    `Domain ${domainText(domain)} says to all its followers that it goes on as ${domainText(to)}.`,
    `Its offline roots of epoch ${epoch} say so: ${setText(rootSet)}.`,
    'Nothing that it published changes or ends by this. Its followers are told, and each of them follows the other domain only once it has accepted that by hand.',
    'Whoever holds the keys of the other domain speaks to them from then on: compare its DomainID, all of it, with what its own machine shows.',
    'Only a rotation of the offline roots takes this back. A second move, to yet another domain, tells the followers to trust neither.'
  ]
}

function genesisSummary (k: DomainKnowledge, domain: Reference, commitment: string, rootKey: string, set: OfflineRootSet, policy: DomainPolicy | undefined): string[] {
  const first = [...k.objects.manifests.values()].find((m) => m.version === 1)
  return [
    `A new domain: ${domainText(domain)}.`,
    `Its offline roots: ${setText(set)}.`,
    `It commits to its next root set: ${commitment}.`,
    `The root_key ${rootKey} signs its manifests.`,
    `Its policy: ${policy === undefined ? 'unknown' : `${policyHash(policy)} (${policyText(undefined, policy)})`}.`,
    // Nothing in the entry names a manifest: whoever carries the file can put another one in, and who signs mustn't think that he signs it.
    ...first === undefined ? [] : rightsText(first).map((line) => `Not covered by this signature, only proposed: ${line}`)
  ]
}

function setText ({ root_keys: keys, threshold }: OfflineRootSet): string {
  return keys.length === 1 ? `1 key (${keys.join(', ')})` : `${keys.length} keys, of which ${threshold} must sign (${keys.join(', ')})`
}

const NOT_SHOWN = ', also those that this file doesn\'t show'

function baseText (k: DomainKnowledge, base: Reference): string[] {
  const { judged, onChain, state, forkChildren } = k.authority()
  const manifest = judged.get(base)?.manifest
  if (manifest === undefined) return []
  const forked = state === 'authority-forked'
  const at = onChain.findIndex((m) => m.ref === base)
  const dropped = at < 0 ? [] : onChain.slice(at + 1).map((m) => m.manifest.version)
  const line = new Set<Reference>()
  for (let ref = base; judged.has(ref); ref = judged.get(ref)?.manifest.previous as Reference) line.add(ref)
  const branch = forked && forkChildren.some((ref) => line.has(ref))
  const how = dropped.length > 0
    ? `Authority goes back to manifest ${manifest.version} (${base}): manifest${dropped.length === 1 ? '' : 's'} ${dropped.join(', ')} no longer count${dropped.length === 1 ? 's' : ''}.`
    : at < 0
      ? `Authority goes on from manifest ${manifest.version} (${base}), which is ${branch ? 'on one branch of a fork' : 'not on the chain in force'}.`
      : `Authority goes on from manifest ${manifest.version} (${base})${forked ? ', before the fork; its branches end' : ''}.`
  // Whoever carries the file can leave out what it undoes: what the signature does mustn't depend on what stands beside it.
  const ends = `Every manifest after manifest ${manifest.version} ends with this${NOT_SHOWN}: what they granted and what they took away.`
  return [how, ...forked ? branchesText(k, line) : [], ends, ...rightsText(manifest)]
}

/** A thief can make any number of branches. */
const BRANCHES_SHOWN = 8

/** Each branch of the fork that is not on the `line` to the base, by its first manifest. Which of them is a thief's no file can say. */
function branchesText (k: DomainKnowledge, line: ReadonlySet<Reference>): string[] {
  const { judged, forkChildren } = k.authority()
  const going = forkChildren.filter((ref) => !line.has(ref)).flatMap((ref) => judged.get(ref) ?? [])
  const lines = going.slice(0, BRANCHES_SHOWN).map((j) => `A branch of the fork ends: manifest ${j.manifest.version} (${j.ref}) and what follows it; it ${manifestWords(k, j, judged.get(j.manifest.previous)?.manifest, () => undefined).join('; ') || 'changes nothing'}.`)
  return going.length > BRANCHES_SHOWN ? [...lines, `${going.length - BRANCHES_SHOWN} more branches of it end.`] : lines
}

/** One line a principal, as it stands in the manifest. */
export function rightsText (m: DomainAuthorityManifest): string[] {
  return m.principals.map((p, i) => `Principal ${p.principal_id}: ${p.roles.join(', ')}${scopeText(m.scope[i])}.`)
}

function scopeText (scope: Scope | undefined): string {
  if (scope === undefined || scope.prefixes.length === 0) return '; no names'
  return scope.prefixes.includes('') ? '' : `; names under ${scope.prefixes.map((p) => showName(p)).join(', ')}`
}

/** What differs from `before`; of the first policy all that can vary (M9). */
function policyText (before: DomainPolicy | undefined, now: DomainPolicy | undefined): string {
  if (now === undefined) return 'not in the request'
  const old = before === undefined ? undefined : factsOf(before)
  const changed = [...factsOf(now)].filter(([name, value]) => old?.get(name) !== value)
  return changed.map(([name, value]) => `${name} ${value}`).join('; ')
}

function factsOf (p: DomainPolicy): Map<string, string> {
  const names = (list: readonly string[]): string => list.length === 0 ? 'nobody' : list.join(', ')
  return new Map([
    ['publishing allowed to', names(p.publication_policy.allowed_roles)],
    ['executing allowed to', names(p.execution_policy.allowed_roles)],
    ['shown to', p.federation_policy.trusted_domains.length === 0 ? 'everybody' : p.federation_policy.trusted_domains.map((d) => domainText(d)).join(', ')],
    ['unpublished content collected', p.retention_policy.gc_unpublished_allowed ? 'yes' : 'no'],
    ['later records for which replaced content is kept', String(p.retention_policy.min_snapshot_retention)]
  ])
}

/** `summary` of an entry that is in force, with what the first manifest of its epoch, `m`, left: who signed was shown those of the base. */
export function summaryAfter (summary: readonly string[], m: DomainAuthorityManifest): string[] {
  // No file is looked at any more, or never was one.
  return [...summary.filter((line) => !line.startsWith('Principal ')).map((line) => line.replace(NOT_SHOWN, ', also those that aren\'t held here')), ...rightsText(m)]
}
