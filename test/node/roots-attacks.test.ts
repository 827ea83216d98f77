/** What attackers tried on roots and recovery, on real homes: each was a fault once. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { certificateCodec } from '../../src/authority/certificate.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { manifestCodec } from '../../src/authority/manifest.js'
import { rootCommitment, rootEntryCodec } from '../../src/authority/root-entry.js'
import { rootSetCodec, rootSetFrom } from '../../src/authority/root-set.js'
import { warnOfUnseen } from '../../src/node/commands/authority/key-close.js'
import { sign } from '../../src/node/commands/roots/sign.js'
import type { CommandArgs } from '../../src/node/command.js'
import { createKeyFile, loadKey } from '../../src/node/keys/key-file.js'
import { type EntryRequest, genesisRequest, newRequest, openRequest, requestText } from '../../src/node/roots/signing-request.js'
import { Runtime } from '../../src/node/runtime.js'
import { snapshotCodec } from '../../src/publication/lane.js'
import { referenceOfArtifact } from '../../src/substrate/artifact.js'
import type { Hash, Reference } from '../../src/substrate/reference.js'
import { signArtifact } from '../../src/substrate/signature.js'
import { TAG } from '../../src/substrate/type-tags.js'
import { testKey } from '../helpers/authority-fixtures.js'
import { Homes } from '../helpers/homes.js'

const homes = new Homes('roots-attacks')
const { at, io, reboot, run, warnings } = homes

const signing = { roots: [] as string[], keys: [], offline: false, peers: [] }
const rotation = (newRoots: string): CommandArgs['root rotate'] => ({ ...signing, rootKey: 'keep', newRoots: at(newRoots), nextRootPubs: [] })
const mallorys = rootCommitment('22'.repeat(32), rootSetCodec.reference(rootSetFrom([testKey('mallory').publicKey], 1)))

beforeAll(async () => {
  mkdirSync(at('site'))
  writeFileSync(at('site', 'page'), 'one\n')
  await run('alice', 'init', { name: 'alice' })
})
afterAll(() => { homes.remove() })

test('a carrier swaps the next roots of a genesis: shown to who signs, and refused by the home that drafted it', async () => {
  const made = async (name: string): Promise<string> => (await createKeyFile({ directory: at('far'), name, passphrase: { kind: 'none' } })).path.replace('.key', '.pub')
  const request = at('genesis.json')
  await run('founded', 'init', { name: 'founded', rootPubs: [await made('r')], nextRootPubs: [await made('n')], threshold: 1, request })
  const good = openRequest(readFileSync(request, 'utf8')) as EntryRequest
  const entry = { ...good.entry, next_commitment: mallorys }
  const domain = rootEntryCodec.reference(entry)
  const manifest = manifestCodec.from(good.artifacts.find((a) => a.typeTag === TAG.manifest)!)
  writeFileSync(at('swapped.json'), requestText(genesisRequest(domain, [...good.artifacts.filter((a) => a.typeTag !== TAG.manifest), rootEntryCodec.artifact(entry), manifestCodec.artifact({ ...manifest, domain_id: domain, root_entry: domain })])))
  const shown = await sign(undefined, { request: at('swapped.json'), yes: false }, io)
  expect(shown.summary.slice(1)).not.toEqual(good.summary.slice(1))
  expect(shown.summary.join('\n')).toContain(mallorys)
  expect(good.summary.at(-1)).toMatch(/^Not covered by this signature.*Principal/)
  for (const file of [at('swapped.json'), request]) await sign(undefined, { request: file, key: at('far', 'r.key'), yes: true }, io)
  await expect(run('founded', 'init', { name: 'founded', finish: at('swapped.json') })).rejects.toMatchObject({ code: 'request-refused' })
  expect((await run('founded', 'init', { name: 'founded', finish: request })).domain).toBe(good.domain)
})

test('a carrier swaps the next roots of a rotation: the home that made the request refuses what comes back', async () => {
  await run('rotated', 'init', { name: 'rotated' })
  const request = at('rotate.json')
  await run('rotated', 'root rotate', { ...rotation('rotated-next'), request, roots: [at('rotated', 'offline')] })
  const good = openRequest(readFileSync(request, 'utf8')) as EntryRequest
  const k = new DomainKnowledge(good.domain)
  for (const a of good.artifacts) k.admit(a)
  const entry = { ...good.entry, next_commitment: mallorys }
  const certificate = certificateCodec.from(good.artifacts.find((a) => referenceOfArtifact(a) === entry.certificate)!)
  const known = k.objects.relevant(k.domain)
  const swapped = newRequest(k, { kind: 'rotate', entry, ref: rootEntryCodec.reference(entry), certificate, rootSet: good.rootSet, artifacts: good.artifacts.filter((a) => !known.includes(referenceOfArtifact(a))) })
  const evil = at('rotate-swapped.json')
  writeFileSync(evil, requestText(swapped))
  await sign(undefined, { request: evil, key: at('rotated', 'offline', 'next-root-1.key'), yes: true }, io)
  await expect(run('rotated', 'root apply', { request: evil })).rejects.toMatchObject({ code: 'request-refused' })
  // Taken for one made elsewhere, it still has to open with the next set's own file.
  const commitment = at('rotated-next', 'next-commitment.json')
  await expect(run('rotated', 'root apply', { request: evil, elsewhere: true, commitment })).rejects.toMatchObject({ code: 'commitment-mismatch' })
  expect(await run('rotated', 'root show', {})).toMatchObject({ epoch: 0, state: 'ok' })
  expect(await run('rotated', 'root apply', { request })).toMatchObject({ epoch: 1, version: 2 })
})

test('M8: --base says nothing of root entries, so a stale copy can\'t fork the root chain with it', async () => {
  await run('moved', 'init', { name: 'moved' })
  cpSync(at('moved'), at('stale'), { recursive: true })
  await run('moved', 'root renew', { ...signing, rootKey: 'new' })
  await expect(run('stale', 'recover root-key', { ...signing, base: '1' })).rejects.toMatchObject({ code: 'authority-unsure' })
  // Here it is known which entry is the newest.
  expect(await run('moved', 'recover root-key', { ...signing, base: '1' })).toMatchObject({ epoch: 2 })
  reboot()
  await expect(run('moved', 'recover root-key', { ...signing, base: '1' })).rejects.toMatchObject({ code: 'authority-unsure' })
  expect(await run('moved', 'recover root-key', { ...signing, base: '1', offline: true })).toMatchObject({ epoch: 3 })
})

test('a thief\'s manifest is the newest: recovery from theft shows it and takes no base by itself', async () => {
  await run('robbed', 'init', { name: 'robbed' })
  const granted = async (home: string, name: string): Promise<void> => {
    const { path } = await createKeyFile({ directory: at('keys-of', name), name, passphrase: { kind: 'none' } })
    await run(home, 'role grant', { who: path.replace('.key', '.pub'), roles: ['publish'], scope: [], programs: [], name, offlineAuthority: true, peers: [] })
  }
  await granted('robbed', 'dora')
  // What this machine signed itself is taken without a question.
  expect(await run('robbed', 'recover root-key', { ...signing })).toMatchObject({ epoch: 1, version: 3 })
  cpSync(at('robbed'), at('thief'), { recursive: true })
  await granted('thief', 'mallory')
  await run('thief', 'publish', { path: at('site'), as: 'planted' })
  // The owner's node took it from the network: here, by a file.
  await run('thief', 'bundle export', { domain: 'robbed', file: at('thief.car'), prefixes: [], all: false })
  await run('robbed', 'bundle import', { file: at('thief.car'), follow: false })
  for (const again of [false, true]) {
    warnings.length = 0
    await expect(run('robbed', 'recover root-key', { ...signing, offline: true })).rejects.toMatchObject({ code: 'base-needed', message: expect.stringContaining('manifest'), hint: expect.stringContaining('--base') })
    expect(warnings.filter((w) => /^manifest 4 .*grants .*publish on the whole domain/.test(w))).toHaveLength(1)
    // After a restart nothing of the chain is known.
    expect(warnings).toHaveLength(again ? 4 : 1)
    await expect(run('robbed', 'recover keys', { ...signing, keep: [], stolen: true, offline: true })).rejects.toMatchObject({ code: 'base-needed' })
    await expect(run('robbed', 'recover roots', { ...signing, newRoots: at('robbed-next'), nextRootPubs: [], offline: true })).rejects.toMatchObject({ code: 'base-needed' })
    reboot()
  }
  expect([existsSync(at('robbed-next')), (await run('robbed', 'root show', {})).epoch]).toEqual([false, 1])
  expect(await run('robbed', 'recover root-key', { ...signing, base: '3', offline: true })).toMatchObject({ epoch: 2, version: 4, losses: [{ from: 0, to: 1, names: ['planted'] }] })
})

test('recover keys, killed between its manifest and the names of the keys, is finished by running it again', async () => {
  await run('killed', 'init', { name: 'killed' })
  for (const name of ['principal.key', 'root_key.key', 'principal.pub', 'root_key.pub']) rmSync(at('killed', 'keys', name))
  const files = readdirSync(at('killed', 'keys'))
  const [old] = (await run('killed', 'role list', {})).principals
  await expect(run('killed', 'recover keys', { ...signing, keep: [], stolen: false })).rejects.toMatchObject({ code: 'not-confirmed', message: expect.stringMatching(new RegExp(`root_key .* and a principal .*${old?.principal.slice(0, 16)}`)) })
  expect(readdirSync(at('killed', 'keys'))).toEqual(files)
  const done = await run('killed', 'recover keys', { ...signing, keep: [], stolen: false, yes: true })
  expect(done.summary.filter((line) => line.startsWith('Principal '))).toEqual([expect.stringContaining(String(done.principal))])
  for (const name of ['principal', 'root_key']) for (const s of ['.key', '.pub']) renameSync(at('killed', 'keys', name + s), at('killed', 'keys', `${name}-e1${s}`))
  expect(await run('killed', 'recover keys', { ...signing, keep: [], stolen: false, yes: true })).toMatchObject({ principal: done.principal, version: done.version, closed: [] })
  expect(readdirSync(at('killed', 'keys')).sort()).toEqual(['principal.key', 'principal.pub', 'root_key.key', 'root_key.pub'])
  await run('killed', 'publish', { path: at('site'), as: 'www' })
})

test('M8: the first manifest of an epoch is signed only where it is known that nobody else has', async () => {
  const request = at('two-homes.json')
  await run('one', 'init', { name: 'one' })
  await run('one', 'root renew', { ...signing, rootKey: 'keep', roots: [at('one', 'offline')], request })
  cpSync(at('one'), at('other'), { recursive: true })
  await run('one', 'root apply', { request })
  await expect(run('other', 'root apply', { request })).rejects.toMatchObject({ code: 'authority-unsure' })
  expect(await run('other', 'root show', {})).toMatchObject({ epoch: 0 })
})

test('M8: an entry taken in without its root_key leaves nothing that vouches for the manifest', async () => {
  const request = at('keyless.json')
  await run('keyless', 'init', { name: 'keyless' })
  cpSync(at('keyless', 'store'), at('older-store'), { recursive: true })
  await run('keyless', 'root renew', { ...signing, rootKey: 'keep', roots: [at('keyless', 'offline')], request })
  mkdirSync(at('away'))
  for (const s of ['.key', '.pub']) renameSync(at('keyless', 'keys', `root_key${s}`), at('away', `root_key${s}`))
  expect(await run('keyless', 'root apply', { request })).toMatchObject({ epoch: 1, manifest: null })
  // Set back in place to before that entry, it doesn't sign a second one.
  cpSync(at('keyless'), at('kept'), { recursive: true })
  rmSync(at('keyless', 'store'), { recursive: true })
  cpSync(at('older-store'), at('keyless', 'store'), { recursive: true })
  await expect(run('keyless', 'root renew', { ...signing, rootKey: 'keep' })).rejects.toMatchObject({ code: 'authority-unsure' })
  rmSync(at('keyless', 'store'), { recursive: true })
  cpSync(at('kept', 'store'), at('keyless', 'store'), { recursive: true })
  for (const s of ['.key', '.pub']) renameSync(at('away', `root_key${s}`), at('keyless', 'keys', `root_key${s}`))
  await expect(run('keyless', 'root apply', { request })).rejects.toMatchObject({ code: 'authority-unsure' })
  expect(await run('keyless', 'root apply', { request, offline: true })).toMatchObject({ epoch: 1, version: 2 })
})

test('a request file that is there is never written over, and nothing is made for it', async () => {
  const request = at('gathered.json')
  writeFileSync(request, 'signatures\n')
  await expect(run('alice', 'root renew', { ...signing, rootKey: 'new', request })).rejects.toMatchObject({ code: 'unwritable' })
  await expect(run('alice', 'root rotate', { ...rotation('unused'), roots: [at('alice', 'offline')], request })).rejects.toMatchObject({ code: 'unwritable' })
  expect([readFileSync(request, 'utf8'), existsSync(at('unused')), readdirSync(at('alice', 'keys')).length]).toEqual(['signatures\n', false, 4])
})

test('a rotation that fails takes back what it made, and no README.txt of somebody\'s', async () => {
  mkdirSync(at('stick'))
  mkdirSync(at('no-keys'))
  writeFileSync(at('stick', 'README.txt'), 'mine\n')
  cpSync(at('alice', 'offline', 'next-commitment.json'), at('no-keys', 'next-commitment.json'))
  await expect(run('alice', 'root rotate', { ...rotation('stick'), offline: true, roots: [at('no-keys')] })).rejects.toMatchObject({ code: 'signature-missing' })
  expect([readdirSync(at('stick')), readFileSync(at('stick', 'README.txt'), 'utf8')]).toEqual([['README.txt'], 'mine\n'])
})

test('a home that waits for its founding says so to a second init, and how to give the draft up', async () => {
  const made = async (name: string): Promise<string> => (await createKeyFile({ directory: at('waiting-far'), name, passphrase: { kind: 'none' } })).path.replace('.key', '.pub')
  const request = at('waiting.json')
  await run('waiting', 'init', { name: 'waiting', rootPubs: [await made('r')], nextRootPubs: [await made('n')], threshold: 1, request })
  const keys = readdirSync(at('waiting', 'keys'))
  await expect(run('waiting', 'init', { name: 'again' })).rejects.toMatchObject({ code: 'domain-exists', message: expect.stringContaining('waits for its founding') as unknown, hint: expect.stringContaining(`\`diad init --finish ${request}\``) as unknown })
  expect(readdirSync(at('waiting', 'keys'))).toEqual(keys)
  expect((await run('waiting', 'doctor', { deep: false })).findings).toContainEqual(expect.objectContaining({ level: 'warn', what: 'this home waits for its founding', do: expect.stringContaining('--finish') as unknown }))
  rmSync(at('waiting', 'made-requests.json'))
  for (const folder of ['keys', 'offline']) renameSync(at('waiting', folder), at(`given-up-${folder}`))
  expect((await run('waiting', 'init', { name: 'again' })).name).toBe('again')
})

test('key close --at: a head whose records nobody holds, or that nobody vouched for, is said to be one', async () => {
  await run('closing', 'init', { name: 'closing' })
  const signing = { offlineAuthority: false, peers: [] }
  const made = async (name: string, roles: string[]): Promise<{ key: string, lane: string, snapshot: string }> => {
    const { path: key } = await createKeyFile({ directory: at('closing-keys'), name, passphrase: { kind: 'none' } })
    await run('closing', 'role grant', { ...signing, who: key.replace('.key', '.pub'), roles, scope: [], programs: [], name })
    const { lane, snapshot } = await run('closing', 'publish', { path: at('site'), as: name, key })
    return { key, lane, snapshot }
  }
  const close = async (principal: string, lane: string, snapshot: string): Promise<string[]> => {
    warnings.length = 0
    await run('closing', 'key close', { ...signing, principal, at: [`${lane}=${snapshot}`], yes: true })
    return [...warnings]
  }
  const unheld = '0001' + 'ab'.repeat(32)
  const someone = await made('sue', ['produce'])
  await expect(close('sue', unheld, someone.snapshot)).rejects.toMatchObject({ code: 'cut-unknown', message: expect.stringContaining('is held here') as unknown, hint: expect.stringMatching(/import the bundle .* first; or close the key now .*`diad adopt`/) as unknown })
  await expect(close('sue', someone.lane, unheld)).rejects.toMatchObject({ code: 'cut-unknown', message: `no head "${unheld}" of that lane is held here`, hint: expect.stringMatching(/the last .* is held.*1 0001/) as unknown })
  await expect(close('sue', 'beef', unheld)).rejects.toMatchObject({ hint: expect.stringContaining('12 or more') as unknown })
  const [proposer, exporter, thief] = [await made('paul', ['produce']), await made('eve', ['publish', 'federate']), await made('ted', ['publish', 'federate'])]
  const { entries } = await run('closing', 'ls', { target: 'closing', all: true })
  expect(entries.map(({ name, exported, by }) => ({ name, exported, by }))).toEqual(expect.arrayContaining([{ name: 'paul', exported: false, by: 'paul' }, { name: 'eve', exported: undefined, by: undefined }]))
  expect(await close('paul', proposer.lane, proposer.snapshot)).toEqual([expect.stringMatching(/^of the 1 record of the lane .* none is exported: .*`diad vouch 0001[0-9a-f]{12} --at 0001/)])
  expect(await close('eve', exporter.lane, exporter.snapshot)).toEqual([])
  // A head that only its key knows the records of.
  const { signer } = await loadKey(thief.key, { kind: 'none' })
  const artifact = snapshotCodec.artifact({ lane: thief.lane as Reference, log_size: 9, log_root: '33'.repeat(32) as Hash, logseq: 9 })
  const ref = referenceOfArtifact(artifact)
  const runtime = await Runtime.open(at('closing', 'store'), false)
  try {
    const k = await runtime.wake(runtime.own() as Reference)
    for (const a of [artifact, await signArtifact(signer, 'snapshot', ref)]) k.admit(a)
    warnings.length = 0
    warnOfUnseen(k, new Map([[thief.lane as Reference, ref], [exporter.lane as Reference, exporter.snapshot as Reference]]), io)
  } finally {
    await runtime.close()
  }
  expect(warnings).toEqual([expect.stringMatching(/^not all of the 9 records below that head .* are held here: .*cut-unlinked/)])
  // Vouching after the close still works, up to the cut.
  expect(await run('closing', 'vouch', { target: proposer.lane, at: proposer.snapshot, dryRun: false })).toMatchObject({ done: true, exported: [{ names: ['paul'] }] })
})

test('R7, K5: what a lane of the same key erased is not adopted, though the erase leaf counts no more', async () => {
  const publish = async (name: string): Promise<void> => {
    writeFileSync(at('site', 'page'), name)
    await run('eraser', 'publish', { path: at('site'), as: name })
  }
  await run('eraser', 'init', { name: 'eraser' })
  for (const name of ['good', 'passport', 'letter']) await publish(name)
  await run('eraser', 'erase', { target: 'eraser/passport', yes: true })
  const [old] = await run('eraser', 'lanes', {})
  // L4: after a restart the same key erases in another lane.
  reboot()
  await run('eraser', 'erase', { target: 'eraser/letter', yes: true })
  const made = await run('eraser', 'key new', { name: 'second' })
  const authority = { offlineAuthority: true, peers: [] }
  await run('eraser', 'role grant', { who: made.publicKey, roles: ['federate', 'publish', 'produce'], scope: [''], programs: [], ...authority })
  await run('eraser', 'key close', { principal: old!.principal, keep: 'nothing', at: [], yes: true, ...authority })
  expect((await run('eraser', 'ls', { target: 'eraser', all: false })).entries).toEqual([])
  const done = await run('eraser', 'adopt', { lane: old!.lane, only: [], dryRun: false, key: made.path })
  expect([done.adopted.map((a) => a.name), done.left]).toEqual([['good'], [{ name: 'letter', code: 'erased' }, { name: 'passport', code: 'erased' }]])
  expect((await run('eraser', 'ls', { target: 'eraser', all: false })).entries.map((e) => e.name)).toEqual(['good'])
})

test('one root key signs two entries of one epoch only when it is told so, wherever it is kept', async () => {
  await run('twice', 'init', { name: 'twice' })
  mkdirSync(at('usb'))
  for (const name of readdirSync(at('twice', 'offline')).filter((n) => n.startsWith('root-1'))) renameSync(at('twice', 'offline', name), at('usb', name))
  for (const [name, rootKey] of [['first.json', 'new'], ['second.json', 'keep']] as const) await run('twice', 'root renew', { ...signing, rootKey, request: at(name) })
  const [first, second] = [at('first.json'), at('second.json')]
  for (const file of [first, second]) cpSync(file, `${file}-unsigned`)
  const key = at('usb', 'root-1.key')
  expect(openRequest(readFileSync(first, 'utf8')).ref).not.toBe(openRequest(readFileSync(second, 'utf8')).ref)
  warnings.length = 0
  for (const yes of [true, false]) await sign(undefined, { request: first, key, yes }, io)
  expect(warnings).toEqual([])
  const other = expect.stringMatching(/has signed another entry for epoch 1/)
  expect((await sign(undefined, { request: second, key, yes: false }, io)).wrote).toBe(false)
  expect(warnings).toEqual([other])
  await expect(sign(undefined, { request: second, key, yes: true }, io)).rejects.toMatchObject({ code: 'epoch-signed', message: other, hint: expect.stringContaining('--again') })
  expect(openRequest(readFileSync(second, 'utf8')).signatures).toEqual([])
  expect((await sign(undefined, { request: second, key, yes: true, again: true }, io)).wrote).toBe(true)
  // Where nothing can be written, it says that nothing remembers; with a home, that one does.
  warnings.length = 0
  rmSync(at('usb', 'signed-entries.json'))
  mkdirSync(at('usb', 'signed-entries.json'))
  await sign(undefined, { request: `${first}-unsigned`, key, yes: true }, io)
  expect(warnings).toEqual([expect.stringMatching(/can't be read/), expect.stringMatching(/^nothing remembers this signature/)])
  const known = { home: { paths: { root: at('twice') } } }
  await sign(known, { request: `${second}-unsigned`, key, yes: true }, io)
  await run('twice', 'root renew', { ...signing, rootKey: 'new', request: at('third.json') })
  await expect(sign(known, { request: at('third.json'), key, yes: true }, io)).rejects.toMatchObject({ code: 'epoch-signed' })
})
