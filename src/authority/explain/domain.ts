/** A domain as a whole, explained. Source: RULES M5, M7, E5, A3. */
import { shortDomain } from '../../substrate/domain-id.js'
import { standingOf } from '../domain-standing.js'
import type { VerdictCode } from '../verdict.js'
import { explainEntry, explainManifest, explainMove, firstTime, type Scene } from './authority.js'
import { explainLane } from './lane.js'
import { check, counted, type Explained, node } from './tree.js'
import { wayOutOfDomain } from './ways-out.js'
import { moveWords } from './words.js'

export function explainDomain (scene: Scene): Explained {
  const { k } = scene
  const authority = k.authority()
  const standing = standingOf(k)
  const code = standing.code as VerdictCode
  const top = authority.rootChain.entries.at(-1)
  const forks = authority.forkChildren.map((ref) => authority.judged.has(ref) ? explainManifest(scene, ref) : explainEntry(scene, ref))
  const contested = [...k.view().lanes.values()].filter((v) => v.contested && v.considered)
  const chain = authority.rootChain
  firstTime(scene, k.domain)
  return node(`the domain ${shortDomain(k.domain)}`, { code, status: standing.status, missing: [...k.missing()] }, {
    ref: k.domain,
    checks: [
      check('M5', chain.entries.length > 0, `root chain: ${counted(chain.entries.length, 'entry', 'entries')}, ${chain.state}`),
      check('M7', authority.state === 'ok', authority.stateText),
      check('E5', contested.length === 0, contested.length === 0 ? 'no lane that counts here is known to be forked' : `${counted(contested.length, 'lane')} of it forked`),
      ...moveWords(k).map((text, i, all) => check('M8', all.length === 1 || i > 0, text)),
      check('A3', k.view().withheld.length === 0, k.view().withheld.length === 0 ? 'nothing that it vouched for is withheld' : `${counted(k.view().withheld.length, 'head')} that it vouched for can't be had`)
    ],
    because: [
      ...forks,
      ...authority.moves.map((m) => explainMove(scene, m.ref)),
      ...contested.map((v) => explainLane(scene, v)),
      ...authority.tip === undefined ? [] : [explainManifest(scene, authority.tip)],
      ...top === undefined ? [] : [explainEntry(scene, top.ref)]
    ],
    wayOut: wayOutOfDomain(k, code)
  })
}
