/** Where a domain stands as a whole, as far as this node can see: one status and code for what `sync` and `status` say first. */
import type { DomainKnowledge } from './knowledge.js'
import type { Status } from './verdict.js'

export interface DomainStanding {
  readonly status: Status
  readonly code: string
}

export function standingOf (k: DomainKnowledge): DomainStanding {
  const authority = k.authority()
  if (authority.tip === undefined) return { status: 'deferred', code: authority.missing.includes(k.domain) || authority.rootChain.entries.length === 0 ? 'unknown-domain' : authority.reason }
  if (authority.state !== 'ok') return { status: 'deferred', code: authority.reason }
  const view = k.view()
  if (view.withheld.length > 0) return { status: 'deferred', code: 'withheld' }
  const lanes = [...view.lanes.values()]
  if (lanes.some((v) => v.contested && v.considered)) return { status: 'contested', code: 'lane-forked' }
  const open = lanes.find((v) => v.considered && v.status === 'deferred')
  if (open !== undefined) return { status: 'deferred', code: open.code }
  const bodies = lanes.some((v) => v.judged.slice(0, v.exported).some((j) => j.code === 'body-missing'))
  return bodies ? { status: 'deferred', code: 'body-missing' } : { status: 'accepted', code: 'accepted' }
}
