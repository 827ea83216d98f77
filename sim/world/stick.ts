/** Bundles on sticks: written and taken in by the production code, with no network in between. */
import { exportBundle, importBundle } from '../../src/federation/bundle.js'
import { DiadError } from '../../src/substrate/errors.js'
import type { SimNode } from './node.js'
import { inTurn } from './publisher.js'
import type { World } from './world.js'

/**
 * What the node holds of its own domain, proposals included, is written on a stick; with `internal`, also what it decided on others. Throws DiadError
 * `node-down`, and what the store throws.
 */
export async function writeStick (world: World, node: SimNode, name: string, internal = false): Promise<void> {
  const domain = world.domain(node.spec.domain)
  await inTurn(node, async () => {
    const { engine } = node
    if (engine === undefined) throw new DiadError('node-down', `${node.name} is down, so nothing can be exported`)
    const bundle: Uint8Array[] = []
    for await (const part of exportBundle(engine, domain.id, { proposals: true, internal })) bundle.push(part.slice())
    world.sticks.set(name, { domain, bundle, decisions: internal ? world.oracle.decisionsAt(node.name) : [] })
  })
}

/** The node takes in what is on the stick; what is refused of it stands among its refusals. Throws DiadError `node-down`, and what the store throws. */
export async function plugIn (world: World, node: SimNode, name: string): Promise<void> {
  const stick = world.sticks.get(name)
  if (stick === undefined) throw new DiadError('no-such-stick', `there is no stick "${name}"`)
  await inTurn(node, async () => {
    const { engine } = node
    if (engine === undefined) throw new DiadError('node-down', `${node.name} is down, so nothing can be imported`)
    const { domain, bundle, decisions } = stick
    // Before any of it can be in a view; what is refused is in none.
    if (node.spec.domain === domain.name) world.oracle.hears(node.name, decisions)
    try {
      const { status, code, refused } = await importBundle(engine, parts(bundle), { domain: domain.id })
      if (node.engine !== engine) return
      if (status === 'rejected') world.refused(node, `stick ${name}`, domain.id, code, undefined)
      for (const r of refused) world.refused(node, `stick ${name}`, domain.id, r.code, r.ref ?? undefined)
    } catch (err) {
      // The process that read it is gone, and with it whatever it had half taken in.
      if (node.engine === engine) throw err
    }
  })
}

async function * parts (bundle: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of bundle) yield await Promise.resolve(part)
}
