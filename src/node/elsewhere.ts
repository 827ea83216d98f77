/**
 * Manifests of the home's own domain that another machine signed. Each is signed by the domain's own root_key, so no rule can refuse it (M8): either
 * another machine of the owner's did it, or a thief. Only the owner can tell, so the owner has to hear of it as soon as it comes.
 */
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { Reference } from '../substrate/reference.js'
import { lastKnownHere, lastSignedHere, ownNewest } from './authority.js'
import { forkHint, forkLines, forkOf, forkText } from './authority-fork.js'
import { changesAfter, elsewhereHint, epochAfter, epochWords, movedLine } from './authority-words.js'
import type { Elsewhere } from './command.js'
import type { Home } from './home/home.js'
import { noteLastSigned, readLastSigned } from './home/last-signed.js'
import type { Runtime } from './runtime.js'

/**
 * What another machine signed since this one last did. undefined for a domain of somebody else, and where this machine doesn't know what it signed last:
 * in a copy, in a home that never signed, and after a restart, unless this was asked before it: what is found is noted in the home.
 */
export function signedElsewhere (home: Home, runtime: Runtime, k: DomainKnowledge): Elsewhere | undefined {
  if (runtime.records.get(k.domain)?.own !== true) return undefined
  const forked = forkedElsewhere(home, runtime, k)
  if (forked !== undefined) return forked
  const { onChain } = k.authority()
  const known = lastKnownHere(home, runtime, k)
  const last = onChain[known]
  const newer = onChain.slice(known + 1)
  if (last === undefined || newer.length === 0) return undefined
  const { version } = last.manifest
  const before = readLastSigned(home, k.domain)
  if (before?.manifest !== last.ref) noteLastSigned(home, { domain: k.domain, manifest: last.ref, version })
  const noticed = before?.manifest === last.ref ? ` (known since ${before.noticed.slice(0, 16).replace('T', ' ')} UTC)` : ''
  const manifests = newer.map((m) => m.manifest.version)
  return {
    manifests,
    since: version,
    text: `${signedBy(k, manifests, version)}, and not by this machine, which last signed manifest ${version}${noticed}`,
    changes: changesAfter(home, k, known),
    hint: elsewhereHint(k, version)
  }
}

/** Who has the root_key can sign the next manifest; for a new epoch it takes the roots. */
function signedBy (k: DomainKnowledge, manifests: readonly number[], since: number): string {
  const one = manifests.length === 1
  const these = one ? `manifest ${manifests[0]} is` : `manifests ${manifests[0]} to ${manifests.at(-1)} are`
  const began = epochAfter(k, since)
  if (began === undefined) return `${these} signed by this domain's own root_key`
  return `${these} signed by its root_key${one || began.first === manifests[0] ? ` of ${epochWords(began)}` : `, from ${began.first} on by that of ${epochWords(began)}`}`
}

/** Another machine signed a manifest beside one that was there: each branch in words, this machine's own marked, whether or not it knows which that is. */
function forkedElsewhere (home: Home, runtime: Runtime, k: DomainKnowledge): Elsewhere | undefined {
  const own = ownNewest(home, runtime, k)
  const fork = forkOf(k, own)
  if (fork === undefined) return undefined
  const version = own === undefined ? undefined : k.authority().judged.get(own)?.manifest.version
  if (own !== undefined && version !== undefined && readLastSigned(home, k.domain)?.manifest !== own) noteLastSigned(home, { domain: k.domain, manifest: own, version })
  const others = fork.branches.flatMap((b) => b.manifests).filter((m) => !m.own)
  return {
    manifests: others.map((m) => m.judged.manifest.version),
    since: version ?? null,
    forked: true,
    text: forkText(fork),
    changes: forkLines(home, k, fork),
    hint: forkHint
  }
}

/** The same as warnings, one line each; and that authority moved on from `before`, also where nobody knows who signed. */
export function warnOfElsewhere (home: Home, runtime: Runtime, k: DomainKnowledge, before: Reference | undefined, warn: (line: string) => void): void {
  if (runtime.records.get(k.domain)?.own !== true) return
  const moved = movedLine(home, k, before)
  const found = signedElsewhere(home, runtime, k)
  if (found !== undefined) {
    warn(`${found.text}: ${found.hint}`)
    for (const line of found.changes) warn(line)
  }
  if (moved !== undefined) warn(`${moved}${found === undefined && lastSignedHere(runtime, k) < 0 ? ' (who signed that, this machine or another, isn\'t known here: it was restarted, or the home is a copy)' : ''}`)
}
