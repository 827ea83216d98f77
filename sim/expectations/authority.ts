/** `authority: {domain, epoch, version, state, lists, moved, as}` */
import { expectation } from '../plugin.js'
import { sayNames } from '../scenario/say.js'
import { compareUtf8 } from '../../src/substrate/bytes.js'
import { choice, DOMAIN, list, map, named, whole } from '../scenario/schema-parts.js'
import { found, heldBy, unmet } from './kit.js'

const STATES = ['ok', 'deferred', 'authority-forked', 'root-forked'] as const

interface AuthorityArgs {
  readonly domain: string
  readonly epoch?: number
  readonly version?: number
  readonly state?: typeof STATES[number]
  readonly lists?: readonly string[]
  readonly moved?: readonly string[]
  readonly as?: string
}

export default expectation<AuthorityArgs>({
  name: 'authority',
  node: 'required',
  summary: 'The node has this epoch and manifest of the domain in force, in that state, listing those principals, with roots that say that it moved to those domains, or the same as another node.',
  schema: map({
    domain: DOMAIN,
    epoch: whole('the number of the root entry in force, from 0', 0, Number.MAX_SAFE_INTEGER),
    version: whole('the version of the manifest in force, from 1', 1, 0xffff_ffff),
    state: choice(STATES),
    lists: list(named('principal'), 'the principals that the manifest lists, all of them', { minItems: 1, uniqueItems: true }),
    moved: list(DOMAIN, 'the domains that its roots say it moved to, all of them', { uniqueItems: true }),
    as: named('node', 'a node that has the same in force')
  }, ['domain'], { minProperties: 2 }),
  words: ({ domain, epoch, version, state, lists, moved, as }) => [
    `has ${as === undefined ? 'the' : `${as}'s`} authority of ${domain}`,
    epoch === undefined ? '' : `in epoch ${epoch}`,
    version === undefined ? '' : `at manifest ${version}`,
    state === undefined ? '' : `which is ${state}`,
    lists === undefined ? '' : `listing ${sayNames(lists)}`,
    moved === undefined ? '' : moved.length === 0 ? 'moved nowhere' : `moved to ${sayNames(moved)}`
  ].filter((part) => part !== '').join(' '),
  check (world, { domain, epoch, version, state, lists, moved, as }, node) {
    const held = heldBy(world, node, domain)
    if (typeof held === 'string') return unmet(held)
    const is = held.k.authority()
    const tip = is.onChain.at(-1)?.manifest
    const { keys } = world.domain(domain)
    const names = (tip?.principals ?? []).map((p) => keys.nameOf(p.principal_id) ?? 'a stranger').sort()
    let ok = (epoch ?? is.epoch) === is.epoch && (version ?? tip?.version) === tip?.version && (state ?? is.state) === is.state
    ok &&= lists === undefined || [...lists].sort().join() === names.join()
    const to = is.moves.map((m) => world.nameOf(m.move.to)).sort(compareUtf8)
    ok &&= moved === undefined || [...moved].sort(compareUtf8).join() === to.join()
    if (as !== undefined) {
      const other = heldBy(world, world.node(as), domain)
      if (typeof other === 'string') return unmet(other)
      ok &&= other.k.authority().stateText === is.stateText
    }
    return found(ok, `epoch ${is.epoch}, manifest ${tip?.version ?? 'none'}, ${is.state}${is.reason === is.state || is.state === 'ok' ? '' : `: ${is.reason}`}, lists ${sayNames(names)}${to.length === 0 ? '' : `, moved to ${sayNames(to)}`}`)
  }
})
