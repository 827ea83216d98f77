/** What attackers tried on roots and recovery, on real homes: each was a fault once. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { certificateCodec } from '../../src/authority/certificate.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { manifestCodec } from '../../src/authority/manifest.js'
import { rootCommitment, rootEntryCodec } from '../../src/authority/root-entry.js'
import { rootSetCodec, rootSetFrom } from '../../src/authority/root-set.js'
import { sign } from '../../src/node/commands/roots/sign.js'
import type { CommandArgs, CommandIo, CommandName, CommandResults } from '../../src/node/command.js'
import { createKeyFile } from '../../src/node/keys/key-file.js'
import { openLocalBackend } from '../../src/node/local-backend.js'
import { genesisRequest, newRequest, openRequest, requestText } from '../../src/node/roots/signing-request.js'
import { referenceOfArtifact } from '../../src/substrate/artifact.js'
import { TAG } from '../../src/substrate/type-tags.js'
import { testKey } from '../helpers/authority-fixtures.js'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'diad-roots-attacks-')))
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
const rotation = (newRoots: string): CommandArgs['root rotate'] => ({ ...signing, rootKey: 'keep', newRoots: at(newRoots), nextRootPubs: [] })
const mallorys = rootCommitment('22'.repeat(32), rootSetCodec.reference(rootSetFrom([testKey('mallory').publicKey], 1)))
/** All that the machine keeps in memory about homes: a reboot. */
const reboot = (): void => { for (const name of readdirSync(memory)) rmSync(join(memory, name), { recursive: true }) }
let memory = ''

beforeAll(async () => {
  memory = mkdtempSync(existsSync('/dev/shm') ? '/dev/shm/diad-attacks-' : join(tmpdir(), 'diad-attacks-'))
  process.env['DIAD_RUNTIME_DIR'] = memory
  mkdirSync(at('site'))
  writeFileSync(at('site', 'page'), 'one\n')
  await run('alice', 'init', { name: 'alice' })
})
afterAll(() => {
  for (const folder of [root, memory]) rmSync(folder, { recursive: true, force: true })
})

test('a carrier swaps the next roots of a genesis: shown to who signs, and refused by the home that drafted it', async () => {
  const made = async (name: string): Promise<string> => (await createKeyFile({ directory: at('far'), name, passphrase: { kind: 'none' } })).path.replace('.key', '.pub')
  const request = at('genesis.json')
  await run('founded', 'init', { name: 'founded', rootPubs: [await made('r')], nextRootPubs: [await made('n')], threshold: 1, request })
  const good = openRequest(readFileSync(request, 'utf8'))
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
  const good = openRequest(readFileSync(request, 'utf8'))
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

test('recover keys, killed between its manifest and the names of the keys, is finished by running it again', async () => {
  await run('killed', 'init', { name: 'killed' })
  for (const name of ['principal.key', 'root_key.key', 'principal.pub', 'root_key.pub']) rmSync(at('killed', 'keys', name))
  const done = await run('killed', 'recover keys', { ...signing, keep: [], stolen: false })
  for (const name of ['principal', 'root_key']) for (const s of ['.key', '.pub']) renameSync(at('killed', 'keys', name + s), at('killed', 'keys', `${name}-e1${s}`))
  expect(await run('killed', 'recover keys', { ...signing, keep: [], stolen: false })).toMatchObject({ principal: done.principal, version: done.version, closed: [] })
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
