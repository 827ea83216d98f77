/** The way out of each state that somebody has to end: what ends it, and what to type. Source: RULES E5, M6, M7, K5, A2, A3. */
import { domainText } from '../../substrate/domain-id.js'
import type { Hash, Reference } from '../../substrate/reference.js'
import type { DomainKnowledge } from '../knowledge.js'
import type { Authority } from '../manifest-chain.js'
import type { WayOut } from './tree.js'

/** What the state is about, as far as it is known. */
export interface Subject {
  readonly domain: Reference
  readonly lane?: Reference
  readonly principal?: Hash
}

const digits = (ref: string | undefined, what: string): string => ref === undefined ? what : ref.slice(0, 16)

/** undefined where nothing has to be done, or nobody can. `code` is a verdict code. */
export function wayOut (code: string, { domain, lane, principal }: Subject): WayOut | undefined {
  switch (code) {
    case 'contested':
    case 'lane-forked': return {
      why: 'A key signed two different histories. The holder of root_key closes that key, which ends the forked lane; until then readers accept the risk by hand (--accept-contested).',
      command: `diad key close ${digits(principal, 'PRINCIPAL')}`
    }
    case 'authority-forked': return {
      // Never with one of them filled in: it may be the thief's, and a line that is ready gets pasted.
      why: 'Two manifests follow one manifest, and one of them may be a thief\'s. The owner chooses and the offline roots sign it: a root entry whose base is the last good manifest. The other branch ends.',
      command: 'diad root renew --base MANIFEST'
    }
    case 'root-forked': return {
      // The root_key of before the fork may be nowhere any more.
      why: 'The root chain branches. The set of roots that was committed to settles it by a rotation; a thief of the live or the retired roots can\'t make one. It certifies a new root_key, since those of the branches end with them.',
      command: 'diad root rotate --root-key new --new-roots DIR'
    }
    case 'base-invalid': return {
      why: 'The newest root entry goes on from something that is no valid manifest of an earlier epoch. The next root entry has to name one.',
      command: 'diad root renew --base MANIFEST'
    }
    case 'closed':
    case 'cut': return {
      why: 'The domain ended this lane here. Honest work beyond that point isn\'t revived; it can be published again under a living key.',
      command: `diad adopt ${digits(lane, 'LANE')}`
    }
    case 'not-visible':
    case 'not-exported': return {
      why: code === 'not-visible' ? 'It is a proposal: a key that may publish makes it visible, one that may federate exports it.' : 'A key that may federate exports it.',
      command: `diad vouch ${digits(lane, 'LANE')}`
    }
    case 'cut-unlinked':
    case 'log-missing':
    case 'head-missing':
    case 'body-missing':
    case 'content-missing':
    case 'manifest-missing':
    case 'base-missing':
    case 'root-entry-missing':
    case 'root-set-missing':
    case 'certificate-missing':
    case 'policy-missing':
    case 'cut-list-missing':
    case 'signature-missing':
    case 'unknown-domain': return { why: 'Something isn\'t held here: a peer or a bundle that has it completes the picture.', command: `diad sync ${domainText(domain)} --peer ADDRESS` }
    case 'withheld': return {
      why: 'A head that the domain vouched for can\'t be had from the peers asked so far: ask others.',
      command: `diad sync ${domainText(domain)} --peer ADDRESS`
    }
    default: return undefined
  }
}

/** The same for a domain's authority as a whole; undefined while it isn't stuck. */
export function wayOutOf (authority: Authority): WayOut | undefined {
  return authority.state === 'ok' ? undefined : wayOut(authority.reason, { domain: authority.domain })
}

/** For a domain whose standing has `code`: the way out of its forks, then of what it lacks. */
export function wayOutOfDomain (k: DomainKnowledge, code: string): WayOut | undefined {
  const contested = [...k.view().lanes.values()].find((v) => v.contested && v.considered)
  const principal = contested?.knowledge.lane.principal
  return wayOutOf(k.authority()) ?? (principal === undefined ? wayOut(code, { domain: k.domain }) : wayOut('lane-forked', { domain: k.domain, principal }))
}
