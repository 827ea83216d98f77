import { beforeAll, test } from 'vitest'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { makeDomain, testKey } from '../helpers/authority-fixtures.js'
import { knowledgeOf, TestLane } from '../helpers/lanes.js'
import { Session } from 'node:inspector/promises'
beforeAll(() => { installNativeCrypto() })
test('one lane among many', async () => {
  const n = Number(process.env['N'] ?? 8000)
  const key = testKey('many')
  const domain = makeDomain({ seed: `many ${n}`, principals: [{ key }] })
  const a = knowledgeOf(domain)
  a.reading = true
  for (let i = 0; i < n; i++) { const lane = new TestLane(domain, key, `l${i}`); lane.give(a, lane.publish(`n${i}`)) }
  a.reading = false; a.touch()
  const all = (): void => {
    const t: number[] = [performance.now()]
    const mark = (): void => { t.push(performance.now()) }
    a.view(); mark(); a.inventory(); mark(); a.inventoryDigest(); mark(); a.lacksBodies(); mark(); void a.view().digest; mark()
    console.log('view, inventory, digest, lacks, current', t.slice(1).map((x, i) => Math.round(x - (t[i] as number))).join(' '))
  }
  all()
  const se = new Session(); se.connect(); await se.post('Profiler.enable'); await se.post('Profiler.start')
  for (let i = 0; i < 5; i++) {
    const lane = new TestLane(domain, key, `new${i}`)
    const head = lane.publish(`m${i}`)
    lane.give(a, head)
    all()
  }
  const { profile } = await se.post('Profiler.stop')
  const self = new Map<string, number>(); const total = new Map<number, number>()
  profile.samples!.forEach((id, i) => total.set(id, (total.get(id) ?? 0) + profile.timeDeltas![i]!))
  for (const nd of profile.nodes) { const kk = `${nd.callFrame.functionName} ${nd.callFrame.url.split('/').slice(-2).join('/')}:${nd.callFrame.lineNumber}`; self.set(kk, (self.get(kk) ?? 0) + (total.get(nd.id) ?? 0)) }
  console.log([...self].sort((x, y) => y[1] - x[1]).slice(0, 24).map(([kk, v]) => `${Math.round(v / 1000)} ms ${kk}`).join('\n'))
}, 100_000)
