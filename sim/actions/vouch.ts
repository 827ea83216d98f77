/** `vouch: {for, key}` */
import { DiadError } from '../../src/substrate/errors.js'
import { principalId } from '../../src/publication/evidence.js'
import { action } from '../plugin.js'
import { map } from '../scenario/schema-parts.js'
import { append, deskOf } from '../world/publisher.js'
import { PRINCIPAL } from './authority-kit.js'
import { byKey, byNode, KEY, started } from './kit.js'

interface VouchArgs { readonly for: string, readonly key?: string }

export default action<VouchArgs>({
  name: 'vouch',
  node: 'required',
  summary: 'The node vouches for what it holds of a principal\'s lanes: a publisher makes proposals visible, a federate key exports.',
  schema: map({ for: PRINCIPAL, key: KEY }, ['for']),
  words: ({ for: whose, key }) => `vouches for the lanes of ${whose}${byKey(key)}`,
  run (world, { for: whose, key }, node) {
    const at = byNode(node)
    started(world, at, 'vouch', (async () => {
      const { k, domain } = await deskOf(world, at, key)
      const ids = new Set(domain.keys.of(whose).map((s) => principalId(s.publicKey)))
      const lanes = [...k.viewAll().lanes.values()].filter((v) => ids.has(v.knowledge.lane.principal) && v.branch !== undefined && v.limit > 0)
      if (lanes.length === 0) throw new DiadError('not-held', `${at.name} holds no lane of ${whose}`)
      for (const v of lanes) if (v.branch !== undefined) await append(world, at, { kind: 'vouch', lane: v.knowledge.ref, snapshot: v.branch.head.ref }, key)
    })())
  }
})
