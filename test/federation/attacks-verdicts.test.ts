/** What a sixth hostile reading proved: verdicts that hung on which log or branch a node happened to hold (RULES R5). */
import { beforeAll, describe, expect, test } from 'vitest'
import { judgeRecord } from '../../src/authority/judge-record.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { exportBundle, importBundle } from '../../src/federation/bundle.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { makeDomain, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { engineOn, save } from '../helpers/engines.js'
import { knowledgeOf, TestLane } from '../helpers/lanes.js'
import { joined, proofOfFork, settled, wired } from '../helpers/rounds.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('verdicts owner')
const writer = testKey('verdicts writer')

describe('L5, E5: a log that is passed on to nobody doesn\'t decide whether its `previous` is followed', () => {
  /** A writer's lane that forked, and a later one, which the domain vouched for at a head that nobody has; only the first node holds those logs. */
  function world (): { domain: TestDomain, fill: (k: DomainKnowledge) => void } {
    const domain = makeDomain({ seed: 'unshared', principals: [{ key: owner }, { key: writer, roles: ['publish'] }] })
    const old = new TestLane(domain, writer, 'old')
    old.publish('x')
    const twin = old.fork(1)
    old.publish('y')
    twin.publish('z')
    const next = new TestLane(domain, writer, 'next', { previous: old.head().ref })
    next.publish('new')
    const lost = next.fork(1).publish('lost')
    const own = new TestLane(domain, owner, 'own')
    own.publish('report')
    own.vouch(next, lost)
    const fill = (k: DomainKnowledge): void => {
      for (const lane of [own, next, old]) lane.give(k, lane.head())
      k.admit(proofOfFork(domain, old, twin))
    }
    return { domain, fill }
  }
  const shown = (k: DomainKnowledge): unknown => [...k.view().current.values()].map((e) => [e.name, e.code])

  test('over the network', () => {
    const { domain, fill } = world()
    const holder = knowledgeOf(domain)
    fill(holder)
    const late = new DomainKnowledge(domain.domain)
    settled(wired({ holder, late }))
    expect([shown(late), late.view().digest, late.inventoryDigest()]).toEqual([shown(holder), holder.view().digest, holder.inventoryDigest()])
  })

  test('by a bundle', async () => {
    const { domain, fill } = world()
    const [from, to] = [await engineOn('unshared from', domain), await engineOn('unshared to')]
    const k = await from.knowledge(domain.domain)
    fill(k)
    await save(from, k)
    expect(await importBundle(to, exportBundle(from, domain.domain), { follow: true })).toMatchObject({ status: 'accepted' })
    expect(shown(await to.knowledge(domain.domain))).toEqual(shown(k))
  })
})

test.each([false, true])('E3: an erase leaf that names a leaf behind a proven fork is judged alike, whichever branch is held (longer: %s)', (longer) => {
  const domain = makeDomain({ seed: 'behind', principals: [{ key: owner }, { key: writer }] })
  const lane = new TestLane(domain, writer, 'forked')
  lane.publish('x')
  const twin = lane.fork(1)
  lane.publish('y')
  if (longer) lane.publish('w')
  twin.publish('z')
  const own = new TestLane(domain, owner, 'own')
  own.erase(lane, longer ? 2 : 1)
  const nodes = [lane, twin].map((branch) => {
    const k = knowledgeOf(domain)
    branch.give(k, branch.head())
    own.give(k, own.head())
    return k
  }) as [DomainKnowledge, DomainKnowledge]
  joined(...nodes)
  expect(nodes.map((k) => k.lanes.get(lane.ref)?.evidence?.index)).toEqual([1, 1])
  expect(nodes.map((k) => judgeRecord(k, own.ref, 0).code)).toEqual(['no-effect', 'no-effect'])
  expect(nodes[0].view().digest).toBe(nodes[1].view().digest)
})
