/** M8 on real homes: what of the old domain goes over to the new one, and what a signing request for a move may say. */
import { cpSync, readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { domainMovedCodec } from '../../src/authority/domain-moved.js'
import type { CommandArgs, CommandResults } from '../../src/node/command.js'
import { artifactsOf, newMoveRequest, openRequest, requestText, signRequest, type SigningRequest } from '../../src/node/roots/signing-request.js'
import { encodeArtifact } from '../../src/substrate/artifact.js'
import { domainText } from '../../src/substrate/domain-id.js'
import type { Reference } from '../../src/substrate/reference.js'
import { type Item, makeDomain, refFrom, signed, testKey, testSigner } from '../helpers/authority-fixtures.js'
import { codeThrown } from '../helpers/code-of.js'
import { Homes } from '../helpers/homes.js'
import { knowledgeOf } from '../helpers/lanes.js'

const homes = new Homes('moved')
const { at, run, warnings } = homes
let old: Reference
let later: Reference
let other: Reference

beforeAll(async () => {
  old = (await run('old', 'init', { name: 'old' })).domain as Reference
  later = (await run('later', 'init', { name: 'later' })).domain as Reference
  other = (await run('other', 'init', { name: 'other' })).domain as Reference
  await move(later)
})
afterEach(() => { warnings.length = 0 })
afterAll(() => { homes.remove() })

const move = async (to: string): Promise<CommandResults['root move']> => await run('old', 'root move', { to, roots: [at('old', 'offline')], keys: [], yes: true })
const bundle = (n: number): string => at(`old-${n}.car`)
let bundles = 0

/** A home that follows the old domain and holds what it says now. */
async function follower (name: string, args: Partial<CommandArgs['follow']> = {}): Promise<{ follow: (more?: Partial<CommandArgs['follow']>) => Promise<CommandResults['follow']>, names: () => Promise<Array<[string, string | undefined]>> }> {
  const file = bundle(++bundles)
  await run('old', 'bundle export', { domain: old, file, prefixes: [], all: false })
  await run(name, 'init', { name: 'me' })
  await run(name, 'follow', { domain: old, peers: [], name: 'photos', ...args })
  await run(name, 'bundle import', { file, follow: true })
  return {
    follow: async (more = {}) => await run(name, 'follow', { domain: domainText(later), peers: [], movedFrom: 'photos', ...more }),
    names: async () => (await run(name, 'status', {})).domains.filter((d) => d.own !== true).map((d) => [d.domain, d.name] as [string, string | undefined]).sort()
  }
}

const sorted = (...pairs: Array<[string, string]>): Array<[string, string]> => pairs.sort()

describe('what goes over', () => {
  test('mode, quota, addresses and petname; a second time nothing more', async () => {
    const address = '/ip4/192.0.2.1/tcp/4001'
    const bob = await follower('bob', { quota: 5000, peers: [address] })
    expect(await bob.follow()).toMatchObject({ domain: later, mode: 'mirror', quota: 5000, name: 'photos', movedFrom: old, before: 'photos-before' })
    expect(await bob.names()).toEqual(sorted([old, 'photos-before'], [later, 'photos']))
    for (const movedFrom of ['photos-before', old]) {
      const again = await bob.follow({ movedFrom })
      expect([again.name, again.before]).toEqual(['photos', undefined])
    }
    expect(await bob.names()).toEqual(sorted([old, 'photos-before'], [later, 'photos']))
  })

  test('names and evidence only, where that was so; an option says otherwise', async () => {
    const carol = await follower('carol', { mode: 'follow' })
    const taken = await carol.follow()
    expect([taken.mode, taken.quota]).toEqual(['follow', undefined])
    expect(await carol.follow({ movedFrom: 'photos-before', mode: 'mirror', quota: 77 })).toMatchObject({ mode: 'mirror', quota: 77 })
  })

  test('with --name the old one keeps its petname, and a name that is taken is refused before anything is followed', async () => {
    const dan = await follower('dan')
    await run('dan', 'name', { domain: other, petname: 'taken', remove: false })
    await expect(dan.follow({ name: 'taken' })).rejects.toMatchObject({ code: 'petname-taken' })
    expect(await dan.names()).toEqual([[old, 'photos']])
    expect((await dan.follow({ name: 'anew' })).before).toBeUndefined()
    expect(await dan.names()).toEqual(sorted([old, 'photos'], [later, 'anew']))
  })

  test('a name of its own gives way to the old one\'s, and -before finds a free place', async () => {
    const eve = await follower('eve')
    await run('eve', 'name', { domain: other, petname: 'photos-before', remove: false })
    await run('eve', 'follow', { domain: later, peers: [], name: 'mine', mode: 'follow' })
    const taken = await eve.follow()
    // It is followed already: in its own mode.
    expect(taken).toMatchObject({ name: 'photos', before: 'photos-before-2', mode: 'follow' })
    expect(await eve.names()).toEqual(sorted([old, 'photos-before-2'], [later, 'photos']))
  })

  test('a petname of 64 letters', async () => {
    const name = 'ü'.repeat(64)
    const finn = await follower('finn', { name })
    expect((await finn.follow({ movedFrom: old })).before).toBe(`${'ü'.repeat(57)}-before`)
  })
})

describe('what is refused', () => {
  const refused = async (home: string, args: Partial<CommandArgs['follow']>): Promise<unknown> => await run(home, 'follow', { domain: domainText(later), peers: [], movedFrom: 'photos', ...args }).catch((err: unknown) => (err as { code: string }).code)

  test('a domain that isn\'t written in full, one that the roots don\'t name, and one that says nothing', async () => {
    await follower('gina')
    await run('gina', 'follow', { domain: later, peers: [], name: 'later' })
    for (const domain of ['later', later.slice(0, 20)]) expect(await refused('gina', { domain })).toBe('usage')
    expect(await refused('gina', { domain: other })).toBe('not-moved')
    expect(await refused('gina', { domain: old })).toBe('usage')
    expect(await refused('gina', { movedFrom: later, domain: other })).toBe('unknown-domain')
    expect(await refused('other', { movedFrom: 'other', domain: old })).toBe('not-moved')
    expect((await run('gina', 'status', {})).domains.filter((d) => d.own !== true).map((d) => d.name).sort()).toEqual(['later', 'photos'])
  })
})

test('two domains are named: all are shown, each can be accepted in full, and it is warned of; a rotation takes both back', async () => {
  expect(warnings).toEqual([])
  await move(other)
  expect(warnings.join()).toContain(`its roots have named ${domainText(later)} already`)
  const hal = await follower('hal')
  const status = (await run('hal', 'status', {})).domains.find((d) => d.domain === old)
  expect(status?.moved?.map((m) => m.to).sort()).toEqual([later, other].sort())
  const { findings } = await run('hal', 'doctor', { deep: false })
  expect(findings.filter((f) => f.what.includes('trust none')).map((f) => [f.level, [later, other].every((d) => f.what.includes(domainText(d)))])).toEqual([['warn', true]])
  warnings.length = 0
  await hal.follow()
  expect(warnings.join()).toContain('name 2 different domains')
  expect((await run('old', 'doctor', { deep: false })).findings.some((f) => f.level === 'bad' && f.what.includes('trust none'))).toBe(true)
  await run('old', 'root rotate', { roots: [at('old', 'offline')], keys: [], offline: true, peers: [], rootKey: 'keep', newRoots: at('next'), nextRootPubs: [] })
  expect((await run('old', 'status', {})).domains.find((d) => d.domain === old)?.moved).toBeUndefined()
  // The roots in force now may say it anew; those before them sign nothing that counts.
  const stale = await run('old', 'root move', { to: later, roots: [at('old', 'offline')], keys: [], yes: true, request: at('stale.json') })
  expect(stale).toMatchObject({ epoch: 1, done: false })
})

describe('a signing request for a move', () => {
  const d = makeDomain({ seed: 'asked', roots: 2, threshold: 2 })
  const to = refFrom('where it goes')
  const asked = newMoveRequest(knowledgeOf(d), { domain_id: d.domain, root_entry: d.entry, to })
  interface File { summary: string[], artifacts: string[], signatures: string[], target: string, purpose: string }
  const changed = (change: (f: File) => void): string => {
    const f = JSON.parse(requestText(asked)) as File
    change(f)
    return JSON.stringify(f)
  }
  const b64 = (i: Item): string => Buffer.from(encodeArtifact(i.artifact)).toString('base64')

  test('says what it does, whole DomainIDs included, and is read back as it was', async () => {
    expect(asked.summary[0]).toBe(`Domain ${domainText(d.domain)} says to all its followers that it goes on as ${domainText(to)}.`)
    let r: SigningRequest = openRequest(requestText(asked))
    for (const key of d.roots().keys) r = openRequest(requestText(await signRequest(r, testSigner(key))))
    const k = knowledgeOf(d)
    for (const a of artifactsOf(r)) k.admit(a)
    expect(k.authority().moves.map((m) => m.move.to)).toEqual([to])
  })

  test.each<[string, () => string]>([
    ['another domain under the same words', () => changed((f) => { f.target = Buffer.from(encodeArtifact(domainMovedCodec.artifact({ domain_id: d.domain, root_entry: d.entry, to: refFrom('mallory') }))).toString('base64') })],
    ['a softer summary', () => changed((f) => { f.summary[0] = 'A drill.' })],
    ['called a root entry', () => changed((f) => { f.purpose = 'root-entry' })],
    ['signed for another purpose', () => changed((f) => { f.signatures.push(b64(signed(d.roots().keys[0] as never, 'root-entry', asked.ref))) })],
    ['signed by a stranger', () => changed((f) => { f.signatures.push(b64(signed(testKey('stranger'), 'domain-moved', asked.ref))) })],
    ['without the roots that it speaks of', () => changed((f) => { f.artifacts = [] })]
  ])('refused: %s', (_what, text) => {
    expect(codeThrown(() => { openRequest(text()) })).toBe('request-refused')
  })

  test('nobody is asked to sign for roots that were rotated away', () => {
    const gone = makeDomain({ seed: 'asked too late' })
    gone.rotate()
    expect(codeThrown(() => { newMoveRequest(knowledgeOf(gone), { domain_id: gone.domain, root_entry: gone.domain, to }) })).toBe('request-refused')
  })

  test('a carrier names a domain of his own: the home that asked for another one refuses what comes back', async () => {
    await run('leo', 'init', { name: 'leo' })
    cpSync(at('leo'), at('carrier'), { recursive: true })
    const [mine, theirs] = [at('leo.json'), at('carrier.json')]
    await run('leo', 'root move', { to: later, roots: [], keys: [], yes: false, request: mine })
    await run('carrier', 'root move', { to: other, roots: [at('leo', 'offline')], keys: [], yes: true, request: theirs })
    await expect(run('leo', 'root apply', { request: theirs })).rejects.toMatchObject({ code: 'request-refused' })
    expect((await run('leo', 'status', {})).domains[0]?.moved).toBeUndefined()
    expect(await run('leo', 'root apply', { request: theirs, elsewhere: true })).toMatchObject({ to: other, done: true })
  })

  test('and what a home asked for is what has to come back', async () => {
    await run('ida', 'init', { name: 'ida' })
    const [mine, theirs] = [at('mine.json'), at('theirs.json')]
    await run('ida', 'root move', { to: later, roots: [], keys: [], yes: false, request: mine })
    const request = openRequest(readFileSync(mine, 'utf8'))
    expect(request).toMatchObject({ purpose: 'domain-moved', move: { to: later }, signatures: [] })
    await run('ida', 'root move', { to: other, roots: [at('ida', 'offline')], keys: [], yes: true, request: theirs })
    // Both were asked for here, so both may come back; a founding is neither.
    await expect(run('jim', 'init', { name: 'jim', finish: theirs })).rejects.toMatchObject({ code: 'wrong-request' })
    expect(await run('ida', 'root apply', { request: theirs })).toMatchObject({ to: other, done: true })
    await expect(run('ida', 'root apply', { request: mine })).rejects.toMatchObject({ code: 'signature-missing' })
  })
})

test('an own domain keeps its name, wherever the new one is followed', async () => {
  const taken = await run('old', 'follow', { domain: domainText(later), peers: [], movedFrom: 'old', name: 'later' }).catch((err: unknown) => (err as { code: string }).code)
  // The rotation above took the move back.
  expect(taken).toBe('not-moved')
  await run('kim', 'init', { name: 'kim' })
  await run('kim', 'root move', { to: later, roots: [at('kim', 'offline')], keys: [], yes: true })
  const followed = await run('kim', 'follow', { domain: domainText(later), peers: [], movedFrom: 'kim' })
  expect([followed.mode, followed.name, followed.before]).toEqual(['mirror', undefined, undefined])
  expect((await run('kim', 'name', { domain: 'kim', remove: false })).name).toBe('kim')
})
