import { beforeAll, expect, test } from 'vitest'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { pull } from '../../src/federation/pull.js'
import { answer } from '../../src/federation/serve-sync.js'
import { makeDomain, testKey } from '../helpers/authority-fixtures.js'
import { knowledgeOf, TestLane } from '../helpers/lanes.js'
import { QUIET } from '../helpers/rounds.js'
beforeAll(() => { installNativeCrypto() })
/** CPU of the asker alone, in ms. */
function cost (n: number): number {
  const key = testKey('many')
  const domain = makeDomain({ seed: `many ${n}`, principals: [{ key }] })
  const a = knowledgeOf(domain)
  a.reading = true
  for (let i = 0; i < n; i++) { const lane = new TestLane(domain, key, `l${i}`); lane.give(a, lane.publish(`n${i}`)) }
  a.reading = false; a.touch(); a.view()
  const late = new DomainKnowledge(domain.domain)
  const run = pull(late, QUIET)
  let own = 0
  const timed = (f: () => unknown): IteratorResult<never, never> => { const t = performance.now(); const s = f(); own += performance.now() - t; return s as never }
  let step = timed(() => run.next())
  while (step.done !== true) { const got = answer(a, step.value as never); step = timed(() => run.next(got as never)) }
  console.log(n, Math.round(own), late.view().current.size)
  return own
}
test('joining a domain of many lanes costs in proportion to them', async () => {
  if (process.env['PROF'] === '1') {
    const { Session } = await import('node:inspector/promises')
    const se = new Session(); se.connect(); await se.post('Profiler.enable'); await se.post('Profiler.start')
    cost(1600)
    const { profile } = await se.post('Profiler.stop')
    const self = new Map<string, number>(); const total = new Map<number, number>()
    profile.samples!.forEach((id, i) => total.set(id, (total.get(id) ?? 0) + profile.timeDeltas![i]!))
    for (const nd of profile.nodes) { const kk = `${nd.callFrame.functionName} ${nd.callFrame.url.split('/').slice(-2).join('/')}:${nd.callFrame.lineNumber}`; self.set(kk, (self.get(kk) ?? 0) + (total.get(nd.id) ?? 0)) }
    console.log([...self].sort((x, y) => y[1] - x[1]).slice(0, 14).map(([kk, v]) => `${Math.round(v / 1000)} ms ${kk}`).join('\n'))
    return
  }
  const [few, many] = [cost(400), cost(1600)]
  expect(many / few).toBeLessThan(8)
}, 100_000)
