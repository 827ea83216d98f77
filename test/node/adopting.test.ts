/** K5: work that turns up after its key was closed, brought by hand as a file. It counts for nothing, leaves this home with nothing, and can be adopted. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Report } from '../../src/federation/effects.js'
import { openHome } from '../../src/node/home/home.js'
import { Network } from '../../src/node/network.js'
import { Runtime } from '../../src/node/runtime.js'
import { Homes } from '../helpers/homes.js'
import { talkTo } from '../helpers/talk.js'

const homes = new Homes('adopting')
const { at } = homes
const NO = '--no-passphrase'
afterAll(() => { homes.remove() })
const { say, json } = talkTo(homes)
async function publish (home: string, name: string): Promise<void> {
  writeFileSync(at(`${name}.txt`), `this is ${name}`)
  await json(home, ['publish', at(`${name}.txt`), '--as', name])
}
const names = async (home: string, ...more: string[]): Promise<string[]> => (await json(home, ['ls', 'a', ...more])).entries.map((e: { name: string }) => e.name)
const digestIn = async (home: string): Promise<string> => {
  await json(home, ['bundle', 'export', 'a', at(`${home}-now.car`)])
  return readFileSync(at(`${home}-now.car`), 'hex')
}

describe('a disk that turns up after recover keys', () => {
  let lane: string

  beforeAll(async () => {
    await json('a', ['init', '--name', 'a', NO])
    renameSync(at('a', 'offline'), at('off'))
    await publish('a', 'eins')
    await json('a', ['bundle', 'export', 'a', at('backup.car')])
    await publish('a', 'zwei')
    await json('a', ['bundle', 'export', 'a', at('newer.car')])
    await publish('a', 'drei')
    await json('a', ['bundle', 'export', 'a', at('newest.car')])
    await json('neu', ['bundle', 'import', at('backup.car'), '--name', 'a'])
    await json('neu', ['recover', 'keys', '--roots', at('off'), '--domain', 'a', '--offline-authority', '--yes', NO])
    await json('neu', ['bundle', 'export', 'a', at('recovered.car')])
    lane = (await json('a', ['lanes', 'a'])).lane
  })

  test('is kept to be adopted, and changes nothing that anybody sees', async () => {
    const before = await digestIn('neu')
    expect(await json('neu', ['bundle', 'import', at('newer.car')])).toMatchObject({ status: 'accepted', proposals: [], uncounted: [{ lane, from: 1, records: 1, code: 'cut', names: ['zwei'], adoptable: true }] })
    expect([await names('neu'), await names('neu', '--all'), await digestIn('neu')]).toEqual([['eins'], ['eins'], before])
    // Nor in a process that reads the store anew.
    expect((await say('neu', 'bundle', 'import', at('newer.car'))).all).toMatch(new RegExp(`1 record by \\S+ doesn't count: "zwei"[^]*diad adopt ${lane}`))
    expect(await digestIn('neu')).toBe(before)
    expect(await json('neu', ['doctor'])).not.toMatchObject({ code: 'bad' })
  })

  test('explain and verify say of its name that it was cut, and explain how to take it over', async () => {
    for (const name of ['a/zwei', 'a/zwei/below']) {
      const checks = expect.arrayContaining([expect.objectContaining({ rule: 'K3', ok: false, text: expect.stringMatching(/^record 1 of the lane .*, which published "zwei", lies beyond the cut that ended the lane/) })])
      expect(await json('neu', ['explain', name], 4)).toMatchObject({ status: 'void', code: 'cut', checks, wayOut: { command: `diad adopt ${lane.slice(0, 16)}` } })
      expect(await json('neu', ['verify', name], 4)).toMatchObject({ status: 'void', code: 'cut', checks })
    }
    expect(await json('neu', ['explain', 'a/nie'], 3)).toMatchObject({ code: 'not-held' })
  })

  test('the same of a name under a key that was closed altogether', async () => {
    await json('b', ['init', '--name', 'a', NO])
    await json('b', ['key', 'new', 'ci', NO])
    await json('b', ['role', 'grant', 'ci', '--role', 'publish,federate'])
    writeFileSync(at('x'), 'x')
    await json('b', ['publish', at('x'), '--as', 'gone', '--key', at('b', 'keys', 'ci.key')])
    await json('b', ['key', 'close', 'ci', '--keep', 'nothing', '--yes'])
    expect(await json('b', ['explain', 'a/gone'], 4)).toMatchObject({ code: 'closed', wayOut: { command: expect.stringMatching(/^diad adopt 0001/) } })
    expect(await json('b', ['verify', 'a/gone'], 4)).toMatchObject({ code: 'closed' })
  })

  test('a longer one continues it; a shorter one, brought again, takes nothing away', async () => {
    expect(await json('neu', ['bundle', 'import', at('newest.car')])).toMatchObject({ uncounted: [{ from: 1, records: 2, names: ['drei', 'zwei'], adoptable: true }] })
    expect(await json('neu', ['bundle', 'import', at('newer.car')])).toMatchObject({ uncounted: [{ records: 1, adoptable: true }] })
    expect((await json('neu', ['adopt', lane, '--dry-run'])).adopted).toMatchObject([{ name: 'drei' }, { name: 'zwei' }])
  })

  test('adopted, it is the domain\'s again, with its content', async () => {
    expect(await json('neu', ['adopt', lane, '--only', 'zwei'])).toMatchObject({ done: true, adopted: [{ name: 'zwei' }] })
    expect(await names('neu')).toEqual(['eins', 'zwei'])
    await json('neu', ['bundle', 'export', 'a', at('adopted.car')])
    await json('far', ['bundle', 'import', at('adopted.car'), '--name', 'a'])
    expect((await say('far', 'cat', 'a/zwei')).stdout).toBe('this is zwei')
    expect(await json('neu', ['adopt', lane])).toMatchObject({ done: true, adopted: [{ name: 'drei' }], left: [{ name: 'zwei', code: 'in-force' }] })
  })

  test('whoever only follows takes nothing of it, and is told no way to adopt it', async () => {
    await json('reader', ['bundle', 'import', at('recovered.car'), '--name', 'a'])
    const before = await digestIn('reader')
    expect(await json('reader', ['bundle', 'import', at('newest.car')])).toMatchObject({ uncounted: [{ from: 1, records: 2, adoptable: false }] })
    expect([await names('reader', '--all'), await digestIn('reader')]).toEqual([['eins'], before])
    expect((await say('reader', 'explain', lane)).stdout).toMatch(/1 of 1 record held/)
  })
})

test('what only a mirror has comes home in a file, as the command says that finds nothing', async () => {
  await json('m', ['init', '--name', 'a', NO])
  renameSync(at('m', 'offline'), at('off-m'))
  await publish('m', 'eins')
  await json('m', ['bundle', 'export', 'a', at('m-backup.car')])
  await publish('m', 'zwei')
  await json('m', ['bundle', 'export', 'a', at('m-newer.car')])
  await json('mirror', ['bundle', 'import', at('m-newer.car'), '--name', 'a', '--follow'])
  await json('mirror', ['bundle', 'export', 'a', at('mirrored.car')])
  await json('m-neu', ['bundle', 'import', at('m-backup.car'), '--name', 'a'])
  await json('m-neu', ['recover', 'keys', '--roots', at('off-m'), '--domain', 'a', '--offline-authority', '--yes', NO])
  const { lane } = await json('m', ['lanes', 'a'])
  const home = openHome(at('mirror'), { create: false })
  const runtime = await Runtime.open(home.paths.store, false)
  await runtime.wakeAll()
  const reports: Report[] = []
  runtime.onReport((r) => { reports.push(r) })
  const network = await Network.start({ home, runtime, listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: [], mdns: false, dht: false, autoMirror: false })
  try {
    expect((await say('m-neu', 'sync', 'a', '--peer', network.host.addresses()[0] as string)).exit).toBe(0)
    await expect.poll(() => reports.some((r) => r.kind === 'changed')).toBe(true)
    await runtime.settled()
  } finally {
    await network.stop()
    await runtime.close()
  }
  expect(await say('m-neu', 'adopt', lane)).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^nothing to adopt/), stderr: expect.stringMatching(/nothing is held here that doesn't count.*bundle export dom1\S+ FILE` there, before it syncs.*bundle import FILE/) })
  // It has heard of the cut, and shows the record to nobody any more.
  expect(await names('mirror')).toEqual(['eins'])
  expect(await json('m-neu', ['bundle', 'import', at('mirrored.car')])).toMatchObject({ uncounted: [{ names: ['zwei'], adoptable: true }] })
  expect(await json('m-neu', ['adopt', lane])).toMatchObject({ done: true, adopted: [{ name: 'zwei' }] })
  expect((await say('m-neu', 'cat', 'a/zwei')).stdout).toBe('this is zwei')
})

test('what a rescue wrote after its key was closed comes home with its last file', async () => {
  await json('r', ['init', '--name', 'a', NO])
  await json('r', ['key', 'new', 'rescue', '--out', at('stick'), NO])
  await json('r', ['role', 'grant', at('stick', 'rescue.pub'), '--role', 'publish,federate'])
  const { domain } = await json('r', ['bundle', 'export', 'a', at('r.car')])
  await json('r', ['rescue', 'start', '--bundle', at('r.car'), '--domain', domain, '--key', at('stick', 'rescue.key'), '--dir', at('away')])
  const work = async (name: string): Promise<void> => {
    writeFileSync(at(name), `this is ${name}`)
    await json('away', ['rescue', 'publish', at(name), '--as', name])
  }
  await work('early')
  await json('away', ['bundle', 'export', domain, at('middle.car')])
  await json('r', ['bundle', 'import', at('middle.car')])
  await json('r', ['key', 'close', 'rescue'])
  await work('late')
  await json('away', ['rescue', 'end', '--out', at('done.car')])
  const { uncounted: [one] } = await json('r', ['bundle', 'import', at('done.car')])
  expect(one).toMatchObject({ from: 1, records: 1, code: 'cut', names: ['late'], adoptable: true })
  expect(await json('r', ['adopt', one.lane])).toMatchObject({ done: true, adopted: [{ name: 'late' }] })
  expect((await say('r', 'cat', 'a/late')).stdout).toBe('this is late')
})
