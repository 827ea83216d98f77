/** `holds: {domain, name, content}` */
import { missingRoots } from '../../src/federation/mirror.js'
import { NONE } from '../../src/substrate/reference.js'
import { baseExpectations, type HoldsArgs } from '../scenario/base-schemas.js'
import { expectation } from '../plugin.js'
import { heldBy, met, unmet } from './kit.js'

export default expectation<HoldsArgs>({
  ...baseExpectations.get('holds')!,
  check (world, { domain, name, content }, node) {
    const held = heldBy(world, node, domain)
    if (typeof held === 'string') return unmet(held)
    const entry = held.k.view().current.get(name)
    if (entry === undefined || entry.ref === NONE) return unmet(`its view of ${domain} has ${held.k.view().current.size} names, and not this one`)
    const { engine } = held.node
    if (content && engine !== undefined && missingRoots(engine, held.k).includes(entry.ref)) return unmet('the name is there, its content is not')
    return met(`${entry.code}, logseq ${entry.logseq}`)
  }
})
