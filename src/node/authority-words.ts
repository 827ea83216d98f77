/** Manifests in a line each, for warnings. */
import { short } from '../authority/explain/tree.js'
import { manifestWords } from '../authority/explain/words.js'
import type { JudgedManifest } from '../authority/judge-manifest.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { Reference } from '../substrate/reference.js'
import type { Home } from './home/home.js'
import { readPrincipalNames } from './home/principal-names.js'

/** So many of the newest are told of in words. */
const TOLD = 8

type Names = ReturnType<typeof readPrincipalNames>

/** `manifest 7 (ab12…): grants mallory (…): publish on the whole domain; drops ci`. */
export function manifestLine (k: DomainKnowledge, j: JudgedManifest, names: Names, beside = ''): string {
  return `manifest ${j.manifest.version} (${short(j.ref)})${beside}: ${wordsOf(k, j, names)}`
}

function wordsOf (k: DomainKnowledge, j: JudgedManifest, names: Names): string {
  const said = manifestWords(k, j, k.authority().judged.get(j.manifest.previous)?.manifest, (id) => names.get(id))
  return said.length === 0 ? 'nothing changes' : said.join('; ')
}

/** What changed after place `at` of the chain (-1: from its beginning), a line a manifest, only the newest of many, newest last. */
export function changesAfter (home: Home, k: DomainKnowledge, at: number): string[] {
  const { onChain, judged } = k.authority()
  const names = readPrincipalNames(home)
  return onChain.slice(at + 1).slice(-TOLD).map(({ ref }) => judged.get(ref)).flatMap((j) => j === undefined ? [] : manifestLine(k, j, names))
}

/**
 * `authority: manifest 1 → 2: grants mallory (…): publish on the whole domain`: what came since `before` was the newest, whoever signed it. undefined
 * where nothing came, nothing was held, or the chain forks (authority-fork.ts).
 */
export function movedLine (home: Home, k: DomainKnowledge, before: Reference | undefined): string | undefined {
  const { onChain, judged, tip, position, state } = k.authority()
  const last = onChain.at(-1)
  const was = before === undefined ? undefined : judged.get(before)?.manifest.version
  if (was === undefined || last === undefined || tip === undefined || last.ref === before || state === 'authority-forked') return undefined
  // A root entry may have gone back behind it.
  let kept = before
  while (kept !== undefined && !position.has(kept)) kept = judged.get(kept)?.manifest.previous
  const names = readPrincipalNames(home)
  const newer = onChain.slice((kept === undefined ? -1 : position.get(kept) as number) + 1)
  const told = newer.slice(-TOLD).flatMap(({ ref }) => judged.get(ref) ?? []).map((j) => wordsOf(k, j, names))
  const gone = kept === before ? [] : [`what came after manifest ${kept === undefined ? 0 : judged.get(kept)?.manifest.version ?? 0} before counts no longer`]
  return `authority: manifest ${was} → ${last.manifest.version}: ${newer.length > TOLD ? 'among others ' : ''}${[...gone, ...told].join('; ')}`
}

/** What the roots did after a manifest. */
export interface NewEpoch {
  /** of the newest manifest, and the version of the first that stands under a later root entry than the one in question */
  readonly epoch: number
  readonly first: number
  /** the roots that were committed to took over */
  readonly rotated: boolean
  readonly otherKey: boolean
}

/** undefined where the newest manifest stands under the same root entry as the one of version `since`, or where that isn't on the chain. */
export function epochAfter (k: DomainKnowledge, since: number): NewEpoch | undefined {
  const { onChain, rootChain } = k.authority()
  const [last, tip] = [onChain.find((m) => m.manifest.version === since)?.manifest, onChain.at(-1)?.manifest]
  if (last === undefined || tip === undefined || tip.root_entry === last.root_entry) return undefined
  const [from, to] = [last, tip].map((m) => rootChain.entries.findIndex((e) => e.ref === m.root_entry)) as [number, number]
  return {
    epoch: rootChain.entries[to]?.entry.epoch ?? to,
    first: onChain.find((m) => m.manifest.version > since && m.manifest.root_entry !== last.root_entry)?.manifest.version ?? tip.version,
    rotated: rootChain.entries.slice(from + 1, to + 1).some((e) => e.kind === 'rotate'),
    otherKey: tip.root_key !== last.root_key
  }
}

/** `epoch 1, which this domain's offline roots began with another root_key`. */
export function epochWords ({ epoch, rotated, otherKey }: NewEpoch): string {
  return `epoch ${epoch}, which ${rotated ? 'the roots that this domain was committed to' : 'this domain\'s offline roots'} began${otherKey ? ' with another root_key' : ''}`
}

/** Both ways out where another machine signed, for `since` = the newest version that this one signed. Whoever began an epoch has the roots: then another root_key helps nobody. */
export function elsewhereHint (k: DomainKnowledge, since: number): string {
  const began = epochAfter(k, since)
  if (began === undefined) return `if another machine of yours did: go on with --offline-authority. If none of yours did, the root_key is stolen: \`diad recover root-key --base ${since}\``
  const goOn = began.otherKey ? 'manifests are signed where the new root_key is' : 'go on with --offline-authority'
  const stolen = began.rotated
    ? 'a thief has the roots that were next as well, and nothing takes the domain back: tell its followers by other ways'
    : `a thief has the roots, and another root_key wouldn't stop him: \`diad recover roots --base ${since} --new-roots DIR\` lets the committed roots take over`
  return `if you or another machine of yours had the roots sign that: ${goOn}. If none of you did, ${stolen}`
}
