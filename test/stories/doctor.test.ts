/** `diad doctor` over real processes. THREATS 1: bytes edited in the store on disk are found, set aside, and fetched again. Wants a build. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, Stage } from '../helpers/cli.js'

let stage: Stage
let domain: string
let alice: Daemon
const MARK = 'the very bytes that somebody will edit on the disk'

interface Finding { level: string, what: string, where: string, do: string }

const doctor = async (home: string, exit = 0, ...words: string[]): Promise<{ code: string, findings: Finding[] }> => await stage.json(home, ['doctor', ...words], exit)
const bad = (found: { findings: Finding[] }): Finding[] => found.findings.filter((f) => f.level === 'bad')

/** Changes one byte of what `home` holds of {@link MARK}. */
function edit (home: string): void {
  const packs = stage.path(home, 'store', 'packs')
  for (const name of readdirSync(packs)) {
    const path = join(packs, name)
    const bytes = readFileSync(path)
    const at = bytes.indexOf(MARK)
    if (at < 0) continue
    bytes[at] = (bytes[at] as number) ^ 1
    writeFileSync(path, bytes)
    return
  }
  throw new Error('the block is in no pack')
}

beforeAll(async () => {
  stage = new Stage()
  domain = await stage.init('alice')
  mkdirSync(stage.path('files'))
  writeFileSync(stage.path('files', 'a'), MARK)
  writeFileSync(stage.path('files', 'b'), 'something else')
  await stage.json('alice', ['publish', stage.path('files'), '--as', 'files'])
  await stage.json('alice', ['publish', stage.path('files', 'b'), '--as', 'other'])
  alice = await stage.serve('alice')
  await stage.json('bob', ['sync', domain, '--peer', alice.address])
})
afterAll(async () => { await stage.close() })

test('a home that is well is said to be well, apart from roots on the same disk (N2)', async () => {
  const found = await doctor('bob', 0, '--deep')
  expect(found).toMatchObject({ status: 'accepted', code: 'ok' })
  expect(found.findings).toContainEqual(expect.objectContaining({ level: 'ok', what: expect.stringMatching(/^\d+ blocks are what their references say/) }))
  const own = await doctor('alice')
  expect(own.code).toBe('warn')
  expect(own.findings.filter((f) => f.level === 'warn').map((f) => f.what)).toContainEqual(expect.stringContaining('(N2)'))
})

test('THREATS 1: an edited block is found, counts as missing, and comes back with the next sync', async () => {
  edit('bob')
  expect(bad(await doctor('bob'))).toEqual([])
  const deep = await doctor('bob', 4, '--deep')
  expect(deep).toMatchObject({ status: 'rejected', code: 'bad' })
  expect(bad(deep).map((f) => f.what)).toEqual([expect.stringContaining('damaged on disk'), '"files" isn\'t held in full'])
  expect(await stage.json('bob', ['verify', `${domain}/files/a`], 3)).toMatchObject({ code: 'content-missing' })
  expect(await stage.json('bob', ['verify', `${domain}/other`])).toMatchObject({ code: 'accepted' })
  // Known from now on, without reading everything again.
  expect(bad(await doctor('bob', 4))).toHaveLength(2)

  expect(await stage.json('bob', ['sync', domain, '--peer', alice.address])).toMatchObject({ status: 'accepted', blocks: 1 })
  expect(await doctor('bob', 0, '--deep')).toMatchObject({ code: 'ok' })
  expect((await stage.run('cat', `${domain}/files/a`, '--home', stage.path('bob'))).stdout).toBe(MARK)
})

test('through a daemon it looks at the same things', async () => {
  edit('alice')
  const deep = await doctor('alice', 4, '--deep')
  expect(bad(deep)).toContainEqual(expect.objectContaining({ what: '"files" isn\'t held in full', do: expect.stringContaining('publish it again') }))
  expect(await alice.stop()).toBe(0)
  await stage.json('alice', ['publish', stage.path('files'), '--as', 'files'])
  expect(bad(await doctor('alice', 0, '--deep'))).toEqual([])
})
