/** The verbs of roots and recovery in one process, on a real home and store. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CommandArgs, CommandIo, CommandName, CommandResults } from '../../src/node/command.js'
import { openLocalBackend } from '../../src/node/local-backend.js'
import { sign } from '../../src/node/commands/roots/sign.js'
import { createKeyFile } from '../../src/node/keys/key-file.js'
import { Runtime } from '../../src/node/runtime.js'
import type { LaneKnowledge } from '../../src/authority/lane-knowledge.js'
import { branchOps, unpersistedOps } from '../../src/federation/ledger.js'
import type { Artifact } from '../../src/substrate/artifact.js'
import type { KvOp } from '../../src/substrate/ports.js'
import type { Reference } from '../../src/substrate/reference.js'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'diad-roots-')))
const at = (...parts: string[]): string => join(root, ...parts)
const warnings: string[] = []
const io: CommandIo = {
  signal: new AbortController().signal,
  progress: () => undefined,
  event: () => undefined,
  warn: (line) => { warnings.push(line) },
  write: async () => undefined,
  passphrase: { kind: 'none' }
}

async function run<N extends CommandName> (home: string, command: N, args: CommandArgs[N]): Promise<CommandResults[N]> {
  const backend = await openLocalBackend(at(home), { command, args, create: command === 'init' })
  try {
    return await backend.run(command, args, io) as CommandResults[N]
  } finally {
    await backend.close()
  }
}

const signing = { roots: [] as string[], keys: [], offline: false, peers: [] }
const renewal = { ...signing, rootKey: 'keep' as const }
const next = (newRoots: string): { newRoots: string, nextRootPubs: string[] } => ({ newRoots, nextRootPubs: [] })
const keyText = (...parts: string[]): string => readFileSync(at(...parts), 'utf8').trim()

beforeAll(async () => {
  if (existsSync('/dev/shm')) process.env['DIAD_RUNTIME_DIR'] = mkdtempSync('/dev/shm/diad-roots-')
  mkdirSync(at('site'))
  writeFileSync(at('site', 'page'), 'one\n')
  await run('alice', 'init', { name: 'alice', rootKeys: 3, threshold: 2 })
  await run('alice', 'publish', { path: at('site'), as: 'www' })
})
afterAll(() => {
  for (const folder of [root, process.env['DIAD_RUNTIME_DIR'] ?? root]) rmSync(folder, { recursive: true, force: true })
})

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
    expect(await run('founded', 'init', { name: 'founded', finish: at('slipped.json') })).toMatchObject({ domain: asked.domain, principal: keyText('founded', 'keys', 'principal.pub') })
    await run('founded', 'publish', { path: at('site'), as: 'www' })
    expect(await run('founded', 'root show', {})).toMatchObject({ state: 'ok', threshold: 2, root_key_here: true, root_keys: rootPubs.map((p) => readFileSync(p, 'utf8').trim()).sort() })
    // The next roots open the commitment whose salt stayed here.
    expect(await run('founded', 'root rotate', { ...renewal, ...next(at('founded-next')), roots: [at('far')], commitment: at('founded', 'offline', 'next-commitment.json') })).toMatchObject({ epoch: 1, version: 2 })
  })

  test.each<[string, Partial<CommandArgs['init']>]>([
    ['no next roots', { rootPubs: ['x'], request: 'y' }],
    ['no request', { rootPubs: ['x'], nextRootPubs: ['x'] }],
    ['a request for nothing', { request: 'y' }]
  ])('%s: refused', async (_what, args) => {
    await expect(run('none', 'init', args)).rejects.toMatchObject({ code: 'usage' })
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
    expect(summary.join('\n')).toContain('heads whose content is kept 3')
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
    expect(await run('alice', 'root drill', { ...drill, roots: [offline] })).toMatchObject({ done: false, threshold: 2, total: 3 })
    expect((await run('alice', 'root drill', { ...drill, keys: [at('two', 'next-root-1.key')] as never })).done).toBe(true)
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
    const done = await run('alice', 'recover keys', { ...signing, keep: [], stolen: false })
    expect([done.epoch, done.closed.length, done.principal]).toEqual([before.epoch, 1, keyText('alice', 'keys', 'principal.pub')])
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
  test('the lane ends where both agree, and what either side published is published anew', async () => {
    // A copy that takes along even what lies outside of the store: the one case that the marker can't see (L4).
    const memory = process.env['DIAD_RUNTIME_DIR'] as string
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
    for (const name of readdirSync(memory)) rmSync(join(memory, name), { recursive: true })
    cpSync(at('saved-memory'), memory, { recursive: true })
    await publish('right', 'right')
    await meet('left', 'twin')
    expect(await run('twin', 'status', {})).toMatchObject({ domains: [{ status: 'contested', code: 'lane-forked' }] })

    const done = await run('twin', 'recover lane', { offline: true, peers: [] })
    expect([...done.republished].sort()).toEqual(['both', 'left', 'right'])
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
