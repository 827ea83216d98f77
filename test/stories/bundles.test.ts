/** Bundles over the built CLI: export, inspect without a home, import by a stranger, standard input and output, the rest since some heads. Wants a build. */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { CarReader as ForeignReader } from '@ipld/car'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inventory, sampleTree, Stage } from '../helpers/cli.js'
import { toCid, type Reference } from '../../src/substrate/reference.js'

let stage: Stage
let domain: string
let files: string
let exported: Record<string, unknown>

beforeAll(async () => {
  stage = new Stage()
  files = sampleTree(stage.path('files'))
  domain = await stage.init('alice')
  await stage.json('alice', ['publish', files, '--as', 'docs/all'])
  exported = await stage.json('alice', ['bundle', 'export', domain, stage.path('alice.car')])
})
afterAll(async () => { await stage.close() })

test('export says what went into the file, and any CAR reader opens it', async () => {
  expect(exported).toEqual({ domain, file: stage.path('alice.car'), blocks: expect.any(Number), bytes: statSync(stage.path('alice.car')).size, missing: 0 })
  const foreign = await ForeignReader.fromBytes(readFileSync(stage.path('alice.car')))
  expect((await foreign.getRoots()).map(String)).toEqual([toCid(domain as Reference)])
})

test('inspect needs no home and leaves none behind', async () => {
  const found = await stage.json('nobody', ['bundle', 'inspect', stage.path('alice.car')])
  expect(found).toMatchObject({ domain, status: 'accepted', refused: [], evidence: 0, leaves: 1, blocks: exported['blocks'], names: [{ name: 'docs/all', code: 'accepted' }], lanes: [{ status: 'accepted', records: 1, exported: 1 }] })
  expect(() => statSync(stage.path('nobody'))).toThrow()
})

test('a stranger without a network gets an identical tree, through a pipe', async () => {
  const main = new URL('../../dist/src/cli/main.js', import.meta.url).pathname
  const shell = (line: string): string => execFileSync('/bin/sh', ['-c', line], { env: { ...process.env, D: `"${process.execPath}" "${main}"`, NO_COLOR: '1' }, encoding: 'utf8' })
  const out = shell(`eval $D --home "${stage.path('alice')}" bundle export alice - | eval $D --home "${stage.path('carol')}" bundle import - --follow --name alice --json`)
  expect(JSON.parse(out)).toMatchObject({ domain, status: 'accepted', name: 'alice', following: true, names: 1, missing: 0, refused: [], noted: [], proposals: [] })
  await stage.json('carol', ['checkout', 'alice/docs/all', stage.path('out')])
  expect(inventory(stage.path('out'))).toEqual(inventory(files))
  expect(await stage.json('carol', ['verify', 'alice/docs/all'])).toMatchObject({ status: 'accepted' })
  // Nothing new the second time.
  expect(await stage.json('carol', ['bundle', 'import', stage.path('alice.car')])).toMatchObject({ status: 'accepted', blocks: 0 })
})

test('since the receiver\'s heads only the rest is carried', async () => {
  await stage.json('carol', ['bundle', 'heads', domain, stage.path('heads.json')])
  writeFileSync(stage.path('news'), 'news\n')
  await stage.json('alice', ['publish', stage.path('news'), '--as', 'news'])
  const rest = await stage.json('alice', ['bundle', 'export', domain, stage.path('rest.car'), '--since', stage.path('heads.json')])
  expect(rest.blocks).toBe(1)
  const main = new URL('../../dist/src/cli/main.js', import.meta.url).pathname
  const piped = execFileSync('/bin/sh', ['-c', `"$N" "$M" --home "${stage.path('carol')}" bundle heads ${domain} - | "$N" "$M" --home "${stage.path('alice')}" bundle export alice "${stage.path('piped.car')}" --since - --json`], { env: { ...process.env, N: process.execPath, M: main }, encoding: 'utf8' })
  expect(JSON.parse(piped)).toMatchObject({ blocks: 1 })
  expect(await stage.json('carol', ['bundle', 'import', stage.path('rest.car')])).toMatchObject({ status: 'accepted', blocks: 1, names: 2, missing: 0 })
  expect((await stage.run('cat', `${domain}/news`, '--home', stage.path('carol'))).stdout).toBe('news\n')
})

test('a file that is cut off or damaged is refused with its place, exit 4, and changes nothing', async () => {
  const bytes = readFileSync(stage.path('alice.car'))
  writeFileSync(stage.path('cut.car'), bytes.subarray(0, bytes.length - 5000))
  const cut = await stage.json('dave', ['bundle', 'import', stage.path('cut.car'), '--follow'], 4)
  expect(cut).toMatchObject({ domain, status: 'rejected', code: 'cut-off', refused: [{ code: 'cut-off', offset: expect.any(Number) }], names: 0 })
  expect(existsSync(stage.path('dave'))).toBe(false)
  const flipped = Buffer.from(bytes)
  flipped[20_000] = (flipped[20_000] as number) ^ 1
  writeFileSync(stage.path('flipped.car'), flipped)
  expect(await stage.json('dave', ['bundle', 'import', stage.path('flipped.car')], 4)).toMatchObject({ status: 'rejected', code: 'reference-mismatch' })
  expect(await stage.json('nobody', ['bundle', 'inspect', stage.path('flipped.car')], 4)).toMatchObject({ status: 'rejected' })
  // For people: what it means, not only what it is called.
  expect((await stage.run('bundle', 'import', stage.path('flipped.car'), '--home', stage.path('dave'))).stdout).toMatch(/^refused: reference-mismatch {2}a block's bytes aren't those that its name stands for: [^]*copy it again/)
  expect(await stage.json('dave', ['bundle', 'import', stage.path('alice.car'), '--follow'])).toMatchObject({ status: 'accepted', missing: 0 })
})

test('what can\'t be done says so in one line', async () => {
  for (const [words, exit, said] of [
    [['bundle', 'import', stage.path('nothing.car')], 2, /there is no file/],
    [['bundle', 'import', stage.path()], 2, /is a directory/],
    [['bundle', 'export', domain, stage.path('x.car'), '--since', stage.path('nothing.json')], 2, /there is no file/],
    [['bundle', 'export', domain, stage.path('x.car'), '--prefix', 'docx'], 0, /no name of the domain is docx, or stands below it/],
    [['publish', '-', '--as', 'x'], 2, /not standard input[^]*diad put -/],
    [['bundle', 'export', domain, '-', '--json'], 2, /exclude each other/],
    [['bundle', 'export', domain, stage.path('x.car'), '--since', files + '/run.sh'], 2, /not a file of heads/],
    [['bundle', 'heads', domain, stage.path('nowhere', 'heads.json')], 2, /can't write .*heads\.json/],
    [['bundle', 'import', stage.path('alice.car'), '--domain', domain.slice(0, 4) + 'ab'.repeat(32)], 4, /other-domain/]
  ] as Array<[string[], number, RegExp]>) {
    const done = await stage.run(...words, '--home', stage.path('carol'))
    expect([words[1], done.exit]).toEqual([words[1], exit])
    expect(done.stdout + done.stderr).toMatch(said)
  }
  rmSync(stage.path('alice.car'))
})
