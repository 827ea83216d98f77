/**
 * Manifests of the home's own domain that another machine signed. Each is signed by the domain's own root_key, so no rule can refuse it (M8): either
 * another machine of the owner's did it, or a thief. Only the owner can tell, so the owner has to hear of it as soon as it comes.
 */
import { manifestWords } from '../authority/explain/words.js'
import { short } from '../authority/explain/tree.js'
import type { JudgedManifest } from '../authority/judge-manifest.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { elsewhereHint, lastSignedHere } from './authority.js'
import type { Elsewhere } from './command.js'
import type { Home } from './home/home.js'
import { readPrincipalNames } from './home/principal-names.js'
import type { Runtime } from './runtime.js'

/** So many of the newest are told of in words. */
const TOLD = 8

/**
 * What another machine signed since this one last did. undefined for a domain of somebody else, and where this machine doesn't know what it signed last:
 * after a restart, in a copy, in a home that never signed.
 */
export function signedElsewhere (home: Home, runtime: Runtime, k: DomainKnowledge): Elsewhere | undefined {
  if (runtime.records.get(k.domain)?.own !== true) return undefined
  const { onChain, judged } = k.authority()
  const known = lastSignedHere(runtime, k)
  const last = onChain[known]?.manifest
  const newer = onChain.slice(known + 1)
  if (last === undefined || newer.length === 0) return undefined
  const names = readPrincipalNames(home)
  const manifests = newer.map((m) => m.manifest.version)
  const told = newer.slice(-TOLD).flatMap(({ ref }) => judged.get(ref) ?? [])
  return {
    manifests,
    since: last.version,
    text: `${manifests.length === 1 ? `manifest ${manifests[0]} is` : `manifests ${manifests[0]} to ${manifests.at(-1)} are`} signed by this domain's own root_key, and not by this machine, which last signed manifest ${last.version}`,
    changes: told.map((j) => manifestLine(k, j, names)),
    hint: elsewhereHint(last.version)
  }
}

/** `manifest 7 (ab12…): grants mallory (…): publish on the whole domain; drops ci`. */
export function manifestLine (k: DomainKnowledge, j: JudgedManifest, names: ReturnType<typeof readPrincipalNames>, beside = ''): string {
  const said = manifestWords(k, j, k.authority().judged.get(j.manifest.previous)?.manifest, (id) => names.get(id))
  return `manifest ${j.manifest.version} (${short(j.ref)})${beside}: ${said.length === 0 ? 'nothing changes' : said.join('; ')}`
}

/** The same as warnings, one line each. */
export function warnOfElsewhere (home: Home, runtime: Runtime, k: DomainKnowledge, warn: (line: string) => void): void {
  const found = signedElsewhere(home, runtime, k)
  if (found === undefined) return
  warn(`${found.text}: ${found.hint}`)
  for (const line of found.changes) warn(line)
}
