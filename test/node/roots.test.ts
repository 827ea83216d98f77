/** The verbs of roots and recovery in one process, on a real home and store. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CommandArgs } from '../../src/node/command.js'
import { sign } from '../../src/node/commands/roots/sign.js'
import { createKeyFile } from '../../src/node/keys/key-file.js'
import { Runtime } from '../../src/node/runtime.js'
import type { LaneKnowledge } from '../../src/authority/lane-knowledge.js'
import { branchOps, unpersistedOps } from '../../src/federation/ledger.js'
import type { Artifact } from '../../src/substrate/artifact.js'
import type { KvOp } from '../../src/substrate/ports.js'
import type { Reference } from '../../src/substrate/reference.js'
import { Homes } from '../helpers/homes.js'

const homes = new Homes('roots')
const { at, io, memory, reboot, run, warnings } = homes

const signing = { roots: [] as string[], keys: [], offline: false, peers: [] }
const renewal = { ...signing, rootKey: 'keep' as const }
const next = (newRoots: string): { newRoots: string, nextRootPubs: string[] } => ({ newRoots, nextRootPubs: [] })
const keyText = (...parts: string[]): string => readFileSync(at(...parts), 'utf8').trim()

beforeAll(async () => {
  mkdirSync(at('site'))
  writeFileSync(at('site', 'page'), 'one\n')
  await run('alice', 'init', { name: 'alice', rootKeys: 3, threshold: 2 })
  await run('alice', 'publish', { path: at('site'), as: 'www' })
})
afterAll(() => { homes.remove() })

describe('init', () => {
  test('makes two sets of three, and what opens the commitment', () => {
    const names = readdirSync(at('alice', 'offline')).filter((n) => n.endsWith('.key'))
    expect(names.sort()).toEqual([1, 2, 3].flatMap((n) => [`next-root-${n}.key`, `root-${n}.key`]).sort())
    expect(JSON.parse(keyText('alice', 'offline', 'next-commitment.json'))).toMatchObject({ format: 'diad-next-commitment', threshold: 2, root_keys: [1, 2, 3].map((n) => keyText('alice', 'offline', `next-root-${n}.pub`)).sort() })
  })

  test.each([[0, 0], [3, 4], [10, 1]])('%i keys with threshold %i: nothing is made', async (rootKeys, threshold) => {
    await expect(run('none', 'init', { rootKeys, threshold })).rejects.toMatchObject({ code: 'root-set' })
    expect(existsSync(at('none'))).toBe(false)
  })
})

describe('init with root keys that were made elsewhere', () => {
  test('the genesis is signed by hand, and the domain founded where its hot keys are', async () => {
    const made = async (name: string): Promise<string> => (await createKeyFile({ directory: at('far'), name, passphrase: { kind: 'none' } })).path.replace('.key', '.pub')
    const [rootPubs, nextRootPubs] = [await Promise.all(['r1', 'r2'].map(made)), await Promise.all(['n1', 'n2'].map(made))]
    const request = at('genesis.json')
    const asked = await run('founded', 'init', { name: 'founded', rootPubs, nextRootPubs, threshold: 2, request })
    expect((await run('founded', 'status', {})).domain).toBeUndefined()
    await expect(run('founded', 'init', { finish: request })).rejects.toMatchObject({ code: 'signature-missing' })
    for (const n of ['r1', 'r2']) await sign(undefined, { request, key: at('far', `${n}.key`), yes: true }, io)
    await expect(run('alice', 'root apply', { request })).rejects.toMatchObject({ code: 'unknown-domain' })
    // Somebody slips in a manifest of his own, which no root signature covers.
    const file = JSON.parse(keyText('genesis.json')) as { artifacts: string[], summary: string[] }
    writeFileSync(at('slipped.json'), JSON.stringify({ ...file, artifacts: file.artifacts.slice(0, -1), summary: file.summary.slice(0, -1) }))
    expect(warnings.filter((w) => w.includes(`put a copy of ${at('founded', 'offline', 'next-commitment.json')} beside each key of the next root set`))).toHaveLength(1)
    // What it was called at first, it is called now.
    expect(await run('founded', 'init', { finish: at('slipped.json') })).toMatchObject({ domain: asked.domain, name: 'founded', principal: keyText('founded', 'keys', 'principal.pub') })
    await run('founded', 'publish', { path: at('site'), as: 'www' })
    expect(await run('founded', 'root show', {})).toMatchObject({ state: 'ok', threshold: 2, root_key_here: true, root_keys: rootPubs.map((p) => readFileSync(p, 'utf8').trim()).sort() })
    // The next roots open the commitment whose salt stayed here.
    expect(await run('founded', 'root rotate', { ...renewal, ...next(at('founded-next')), roots: [at('far')], commitment: at('founded', 'offline', 'next-commitment.json') })).toMatchObject({ epoch: 1, version: 2 })
    expect(warnings.at(-1)).toContain(`the next root set is in ${at('founded-next')}: move that directory`)
    warnings.length = 0
    await run('founded', 'root rotate', { ...renewal, newRoots: at('founded-third'), nextRootPubs: [await made('t1'), await made('t2')], roots: [at('founded-next')] })
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^put a copy of ${at('founded-third', 'next-commitment.json')} beside each key of the next root set: .*The keys that were next are the live roots now`))])
  })

  test.each<[string, Partial<CommandArgs['init']>]>([
    ['no next roots', { rootPubs: ['x'], request: 'y' }],
    ['no request', { rootPubs: ['x'], nextRootPubs: ['x'] }],
    ['a request for nothing', { request: 'y' }],
    ['a threshold of a next set that is made here', { nextThreshold: 1 }]
  ])('%s: refused', async (_what, args) => {
    await expect(run('none', 'init', args)).rejects.toMatchObject({ code: 'usage' })
  })
})

describe('a next root set that is weaker', () => {
  test.each<[string, Partial<CommandArgs['init']>, number | string]>([
    ['one next key for two signatures', { nextRootPubs: ['n1'] }, 'the next root set would be weaker than the one before it: 1 key, where 2 have to sign now'],
    ['more signatures than keys', { nextRootPubs: ['n1'], nextThreshold: 2 }, 'a threshold of 2 makes no sense with 1 next root key'],
    ['one, by an option', { nextRootPubs: ['n1'], nextThreshold: 1 }, 1],
    ['two of two', { nextRootPubs: ['n1', 'n2'] }, 2]
  ])('%s at the founding', async (what, args, outcome) => {
    const pub = (name: string): string => at('far', `${name}.pub`)
    const home = what.replaceAll(' ', '-')
    const founding = run(home, 'init', { name: 'w', rootPubs: ['r1', 'r2'].map(pub), threshold: 2, request: at(`${home}.json`), ...args, nextRootPubs: (args.nextRootPubs ?? []).map(pub) })
    if (typeof outcome === 'string') await expect(founding).rejects.toMatchObject({ code: 'root-set', message: outcome })
    else expect((await founding).next).toEqual({ total: args.nextRootPubs?.length, threshold: outcome })
  })

  test('at a rotation; and one that holds a key in use', async () => {
    const rotate = { ...renewal, newRoots: at('weaker'), nextRootPubs: [] as string[], roots: [at('alice', 'offline')] }
    await expect(run('alice', 'root rotate', { ...rotate, rootKeys: 1 })).rejects.toMatchObject({ code: 'root-set', hint: expect.stringContaining('--threshold') as unknown })
    await expect(run('alice', 'root rotate', { ...rotate, nextRootPubs: [at('far', 'r1.pub')] })).rejects.toMatchObject({ code: 'root-set', message: expect.stringContaining('weaker') as unknown })
    for (const [path, use] of [['keys/principal.pub', 'a principal'], ['keys/root_key.pub', 'the root_key'], ['offline/next-root-1.pub', 'a live root']] as const) {
      await expect(run('alice', 'root rotate', { ...rotate, nextRootPubs: [at('far', 'r1.pub'), at('alice', path)] })).rejects.toMatchObject({ code: 'root-set', message: expect.stringContaining(`can't be ${use} and a next root`) as unknown })
    }
    expect(existsSync(at('weaker'))).toBe(false)
  })

  test('a next root gets no role: it could never take over', async () => {
    const grant = { offlineAuthority: false, peers: [], roles: ['publish'], scope: [], programs: [] }
    for (const [home, who] of [['alice', at('alice', 'offline', 'next-root-1.pub')], ['founded', at('far', 't1.pub')], ['founded', at('far', 'r1.pub')]] as const) {
      await expect(run(home, 'role grant', { ...grant, who })).rejects.toMatchObject({ code: 'root-key-reused' })
    }
  })
})

describe('renew and rotate with the roots at hand', () => {
  test('one command, one epoch, and the first manifest of it', async () => {
    const old = keyText('alice', 'keys', 'root_key.pub')
    expect(await run('alice', 'root renew', { ...renewal, rootKey: 'new' })).toMatchObject({ epoch: 1, version: 2, threshold: 2, request: null })
    const now = await run('alice', 'root show', {})
    expect(now).toMatchObject({ epoch: 1, state: 'ok', root_key_here: true, root_key: keyText('alice', 'keys', 'root_key.pub') })
    expect([now.root_key === old, keyText('alice', 'keys', 'root_key-retired-e0.pub') === old, keyText('alice', 'domain', 'domain.pubkey')]).toEqual([false, true, now.root_key])
    await run('alice', 'publish', { path: at('site'), as: 'again' })
  })

  test('another policy', async () => {
    const text = keyText('alice', 'domain', 'policies', 'publish.policy')
    writeFileSync(at('policy'), text.replace(/(min_snapshot_retention"?: )16/, '$13'))
    const before = await run('alice', 'root show', {})
    const { summary } = await run('alice', 'root renew', { ...renewal, policy: at('policy') })
    expect(summary.join('\n')).toContain('later records for which replaced content is kept 3')
    expect((await run('alice', 'root show', {})).policy).not.toBe(before.policy)
  })

  test('too few keys at hand: nothing changes, and what was made is found by the next try', async () => {
    mkdirSync(at('one'))
    cpSync(at('alice', 'offline', 'root-1.key'), at('one', 'anything.key'))
    cpSync(at('alice', 'offline', 'root-1.pub'), at('one', 'anything.pub'))
    const before = await run('alice', 'root show', {})
    await expect(run('alice', 'root renew', { ...renewal, rootKey: 'new', roots: [at('one')] })).rejects.toMatchObject({ code: 'signature-missing', message: '1 of 2 needed root signatures were made' })
    await expect(run('alice', 'root rotate', { ...renewal, ...next(at('spoilt')), roots: [at('one')] })).rejects.toMatchObject({ code: 'commitment-missing' })
    expect([await run('alice', 'root show', {}), existsSync(at('spoilt'))]).toEqual([before, false])
    warnings.length = 0
    await run('alice', 'root renew', { ...renewal, rootKey: 'new' })
    expect(warnings.join()).toContain('earlier attempt')
  })

  test('a request that was overtaken can\'t come into force any more', async () => {
    await run('alice', 'root renew', { ...renewal, roots: [at('alice', 'offline')], request: at('old.json') })
    await run('alice', 'root renew', { ...renewal, rootKey: 'new' })
    const before = await run('alice', 'root show', {})
    await expect(run('alice', 'root apply', { request: at('old.json') })).rejects.toMatchObject({ code: 'root-orphaned' })
    expect(await run('alice', 'root show', {})).toEqual(before)
    await run('alice', 'publish', { path: at('site'), as: 'after' })
  })

  test('a drill, one key at a time; a rotation uses the commitment up', async () => {
    const offline = at('alice', 'offline')
    mkdirSync(at('two'))
    for (const n of [1, 2]) for (const s of ['key', 'pub']) renameSync(join(offline, `next-root-${n}.${s}`), at('two', `next-root-${n}.${s}`))
    const drill = { roots: [] as string[], keys: [], commitment: join(offline, 'next-commitment.json') }
    const [one, third] = [keyText('two', 'next-root-1.pub'), keyText('alice', 'offline', 'next-root-3.pub')]
    expect(await run('alice', 'root drill', { ...drill, roots: [offline] })).toMatchObject({ done: false, status: 'deferred', threshold: 2, total: 3, signed: [third], earlier: [] })
    const second = await run('alice', 'root drill', { ...drill, keys: [at('two', 'next-root-1.key')] as never })
    // What an earlier run showed is told apart from this one's.
    expect(second).toMatchObject({ done: true, status: 'accepted', signed: [one], earlier: [{ key: third, at: expect.stringMatching(/^\d{4}-/) as unknown }], missing: [expect.any(String)], names: { [one]: 'two/next-root-1', [third]: 'next-root-3' } })
    // It counts for a month; then it is history.
    const path = at('alice', 'root-drills.json')
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/"20\d\d-/g, '"2020-'))
    expect(await run('alice', 'root drill', { ...drill, keys: [at('two', 'next-root-1.key')] as never })).toMatchObject({ done: false, status: 'deferred', signed: [one], earlier: [{ key: third, at: expect.stringMatching(/^2020-/) as unknown }] })
    await expect(run('alice', 'root drill', { ...drill, keys: [join(offline, 'root-1.key')] as never })).rejects.toMatchObject({ code: 'not-a-signer' })
    expect((await run('alice', 'root show', {})).drill).toMatchObject({ done: true, signed: 2 })

    const done = await run('alice', 'recover roots', { ...signing, ...next(at('fresh')), roots: [offline, at('two')] })
    expect(done).toMatchObject({ threshold: 2, newRoots: at('fresh') })
    const now = await run('alice', 'root show', {})
    expect([now.state, now.drill.done, now.root_keys]).toEqual(['ok', false, ['alice/offline/next-root-3', 'two/next-root-1', 'two/next-root-2'].map((p) => keyText(`${p}.pub`)).sort()])
    expect(statSync(at('fresh', 'next-root-1.key')).mode & 0o777).toBe(0o600)
    await expect(run('alice', 'root drill', { ...drill, roots: [offline] })).rejects.toMatchObject({ code: 'commitment-mismatch' })
    await expect(run('alice', 'root rotate', { ...renewal, ...next(at('fresh')), roots: [at('fresh')] })).rejects.toMatchObject({ code: 'key-exists' })
    expect(await run('alice', 'root drill', { ...drill, commitment: at('fresh', 'next-commitment.json'), roots: [at('fresh')] })).toMatchObject({ done: true, missing: [] })
    // The retired roots are worth nothing; those that were next sign, whatever their files are called.
    await expect(run('alice', 'root renew', { ...renewal, keys: [join(offline, 'root-1.key')] as never })).rejects.toMatchObject({ code: 'not-a-signer' })
    expect(await run('alice', 'root renew', { ...renewal, roots: [offline, at('two')] })).toMatchObject({ threshold: 2 })
  })
})

describe('recover', () => {
  const roots = (): string[] => [at('alice', 'offline'), at('two')]

  test('only the principal is lost: no roots are needed', async () => {
    const before = await run('alice', 'root show', {})
    rmSync(at('alice', 'keys', 'principal.key'))
    // The key may be on a stick: nobody is closed without a word.
    const [lost] = (await run('alice', 'role list', {})).principals.filter((p) => p.listed)
    await expect(run('alice', 'recover keys', { ...signing, keep: [], stolen: false })).rejects.toMatchObject({ code: 'not-confirmed', message: expect.stringContaining(lost?.principal.slice(0, 16) ?? '?') as unknown, hint: expect.stringContaining('--keep') as unknown })
    const done = await run('alice', 'recover keys', { ...signing, keep: [], stolen: false, yes: true })
    expect(done.summary).toEqual([expect.stringMatching(new RegExp(`^Principal ${done.principal}: `))])
    expect([done.epoch, done.closed.length, done.publicKey]).toEqual([before.epoch, 1, keyText('alice', 'keys', 'principal.pub')])
    await run('alice', 'publish', { path: at('site'), as: 'fourth' })
    // What the lost key published stands.
    expect((await run('alice', 'ls', { target: 'alice', all: false })).entries.map((e) => e.name).sort()).toEqual(['after', 'again', 'fourth', 'www'])
  })

  test('a stolen root_key: back to the last good manifest, with a new key', async () => {
    const robbed = await run('alice', 'root show', {})
    const [good, bad] = robbed.manifests.slice(-2)
    const done = await run('alice', 'recover root-key', { ...signing, roots: roots(), base: String(good?.version) })
    expect(done.summary.join('\n')).toContain(`manifest ${bad?.version} no longer counts`)
    const now = await run('alice', 'root show', {})
    expect([now.state, now.root_key === robbed.root_key, now.manifests.some((m) => m.ref === bad?.ref)]).toEqual(['ok', false, false])
    await expect(run('alice', 'recover root-key', { ...signing, roots: roots(), base: '999' })).rejects.toMatchObject({ code: 'not-found' })
  })

})

describe('THREATS 15: a restored copy published over a head that it never saw', () => {
  test('the lane ends where both agree, and what either side published and didn\'t erase is published anew', async () => {
    // A copy that takes along even what lies outside of the store: the one case that the marker can't see (L4).
    const publish = async (text: string, name: string): Promise<void> => {
      writeFileSync(at('site', 'page'), text)
      await run('twin', 'publish', { path: at('site'), as: name })
    }
    await run('twin', 'init', { name: 'twin' })
    await expect(run('twin', 'recover lane', { offline: false, peers: [] })).rejects.toMatchObject({ code: 'not-found' })
    await publish('common', 'common')
    for (const [from, to] of [[at('twin'), at('saved')], [memory, at('saved-memory')]] as const) cpSync(from, to, { recursive: true })
    await publish('left', 'left')
    await publish('left', 'both')
    renameSync(at('twin'), at('left'))
    renameSync(at('saved'), at('twin'))
    reboot()
    cpSync(at('saved-memory'), memory, { recursive: true })
    await publish('right', 'right')
    // Published by mistake, and erased at once: by a leaf that the new end leaves out.
    await publish('right', 'passport')
    await run('twin', 'erase', { target: 'twin/passport', yes: true })
    await meet('left', 'twin')
    expect(await run('twin', 'status', {})).toMatchObject({ domains: [{ status: 'contested', code: 'lane-forked' }] })

    // One of the two could be a thief's: none is signed anew before a person has said which.
    const refused = run('twin', 'recover lane', { offline: true, peers: [] })
    await expect(refused).rejects.toMatchObject({ code: 'branch-needed', message: expect.stringMatching(/this machine's\) says "?right"?(;|$)/) })
    const heads = (await Promise.all(['left', 'twin'].map(async (home) => await run(home, 'log', { all: true })))).flatMap((events) => events.findLast((e) => e.event === 'head')?.ref ?? [])
    await expect(run('twin', 'recover lane', { branch: ['00'.repeat(8)], offline: true, peers: [] })).rejects.toMatchObject({ code: 'not-found' })
    const done = await run('twin', 'recover lane', { branch: heads, offline: true, peers: [] })
    expect([[...done.republished].sort(), done.left]).toEqual([['both', 'left', 'right'], [{ name: 'passport', code: 'erased' }]])
    // Nobody brought the content of the other side here.
    expect(warnings.join('\n')).toMatch(/content of "?(both|left)/)
    expect(await run('twin', 'status', {})).toMatchObject({ domains: [{ code: 'content-missing', names: 4 }] })
    const { entries } = await run('twin', 'ls', { target: 'twin', all: false })
    expect(entries.map((e) => [e.name, e.code ?? 'here']).sort()).toEqual([['both', 'content-missing'], ['common', 'here'], ['left', 'content-missing'], ['right', 'here']])
  })
})

/** What one exchange would bring: everything that `from` holds of its domain's lanes. */
async function meet (from: string, to: string): Promise<void> {
  const [a, b] = [await Runtime.open(at(from, 'store'), false), await Runtime.open(at(to, 'store'), false)]
  try {
    const domain = a.own() as Reference
    const [there, here] = [await a.knowledge(domain), await b.wake(domain)]
    const ops: KvOp[] = []
    for (const lane of there.lanes.values()) {
      here.admit(there.artifact(lane.ref) as Artifact)
      const mine = here.lanes.get(lane.ref) as LaneKnowledge
      for (const { head, log } of lane.branches) {
        const got = mine.extend(head, 0, log.leaves(0, log.size))
        if (got.result !== 'extended') throw new Error(got.result)
        for (const [hash, body] of lane.bodies) mine.setBody(hash, body)
        here.touch()
        ops.push(...branchOps(here, mine, got.branch, 0))
      }
    }
    await b.durable(async () => { await b.commit([...ops, ...unpersistedOps(here)]) })
  } finally {
    await Promise.all([a.close(), b.close()])
  }
}
