/** `steal: {by, of, key}` */
import { principalId } from '../../src/publication/evidence.js'
import { DiadError } from '../../src/substrate/errors.js'
import { action } from '../plugin.js'
import { DOMAIN, map, named, NODE } from '../scenario/schema-parts.js'
import type { Loot } from '../world/machine.js'
import type { SimDomain } from '../world/domains.js'

const COLD = ['root-key', 'roots', 'one-root', 'next-roots'] as const
type Cold = typeof COLD[number]

interface StealArgs { readonly by: string, readonly of: string, readonly key: string }

const isCold = (key: string): key is Cold => (COLD as readonly string[]).includes(key)
const WORDS: Readonly<Record<Cold, string>> = { 'root-key': 'the root_key', roots: 'the root keys in force', 'one-root': 'one of the root keys in force', 'next-roots': 'the root keys that were committed to' }

export default action<StealArgs>({
  name: 'steal',
  node: 'none',
  summary: 'An adversary gets a copy of a key as it is now: of a principal, the root_key, the roots in force, or the committed ones.',
  schema: map({ by: NODE, of: DOMAIN, key: { anyOf: [{ enum: COLD }, named('principal')], description: 'a principal, root-key, roots, one-root or next-roots' } }, ['by', 'of', 'key']),
  words: ({ by, of, key }) => `${by} steals ${isCold(key) ? WORDS[key] : `the key of ${key}`} of ${of}`,
  run (world, { by, of, key }) {
    const thief = world.node(by)
    if (thief.honest) throw new DiadError('bad-scenario', `${by} is honest and steals nothing`, 'an adversary such as key-thief does')
    const domain = world.domain(of)
    const loot = taken(domain, key)
    thief.machine.loot.push(loot)
    // A key that two hold can be blamed for what either does.
    if (loot.kind === 'principal') for (const { publicKey } of loot.signers) world.oracle.guilty.add(principalId(publicKey))
  }
})

function taken ({ name, keys }: SimDomain, key: string): Loot {
  switch (key) {
    case 'root-key': return { kind: 'root-key', domain: name, name: key, signers: [keys.rootKey] }
    case 'roots': return { kind: 'roots', domain: name, name: key, signers: keys.roots.signers }
    case 'one-root': return { kind: 'roots', domain: name, name: key, signers: keys.roots.signers.slice(0, 1) }
    case 'next-roots': return { kind: 'roots', domain: name, name: key, signers: keys.nextRoots.signers }
    default: {
      const [signer] = keys.of(key)
      if (signer === undefined) throw new DiadError('bad-scenario', `${name} has no principal called ${key}`)
      return { kind: 'principal', domain: name, name: key, signers: [signer] }
    }
  }
}
