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

/** Both ways out where another machine signed, for `since` = the newest version that this one signed. */
export function elsewhereHint (since: number): string {
  return `if another machine of yours did: go on with --offline-authority. If none of yours did, the root_key is stolen: \`diad recover root-key --base ${since}\``
}
