/** The story itself, act by act. Every sentence that it prints was checked first; what doesn't hold ends it. */
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NO_PROGRESS, progressLine } from '../src/cli/progress.js'
import { count, formatBytes, safe } from '../src/cli/text.js'
import type { CommandResults, SyncResult } from '../src/node/command.js'
import { compareTrees } from '../src/node/files/compare.js'
import { homePaths } from '../src/node/home/paths.js'
import { pathFault } from '../src/publication/names.js'
import { type Actor, type Cast, type Ended, Failed } from './cast.js'
import type { Teller } from './say.js'

export interface Stage {
  /** what alice publishes */
  readonly directory: string
  /** a directory of our own for everybody's homes */
  readonly root: string
  readonly cast: Cast
  readonly teller: Teller
}

const MALLORY = fileURLToPath(new URL('./mallory.js', import.meta.url))

const short = (ref: string): string => `${ref.slice(4, 16)}…`

function expect (holds: boolean, what: string): asserts holds {
  if (!holds) throw new Failed(what)
}

/** What every act may use. */
interface Scene extends Stage {
  readonly name: string
  readonly domain: string
  readonly alice: Actor
  readonly aliceAt: string
  readonly home: (who: string) => string
}

export async function play (stage: Stage): Promise<void> {
  const { teller } = stage
  teller.line(teller.style.strong('A domain is published, mirrored, lied about, and fetched by a stranger.'))
  teller.line('Four processes on this machine, each with a home of its own; they meet over TCP on 127.0.0.1 only.')
  const scene = await publishFirst(stage)
  const { bob, bobAt } = await mirrorFirst(scene)
  const { malloryAt, oldHead } = await getReady(scene, bobAt)
  const published = await publishAll(scene, bob)
  await meetTheLiar(scene, malloryAt, oldHead)
  await fetchAll(scene, published, bobAt, malloryAt)
  await neverBack(scene, published, malloryAt, oldHead)
  await checkout(scene, published)
  teller.line(`\n${teller.style.good('Everything held.')} What took how long:`)
  teller.table()
}

async function publishFirst (stage: Stage): Promise<Scene> {
  const { cast, root, directory, teller } = stage
  const home = (who: string): string => join(root, who)
  const given = basename(directory)
  const name = pathFault(given) === undefined ? given : 'files'

  teller.chapter('Alice makes a domain and publishes a first version')
  const { result: made } = await cast.diad<CommandResults['init'] & { text: string }>(['init', '--home', home('alice'), '--name', 'alice', '--no-passphrase'])
  const { domain } = made
  teller.says('alice', `made the domain ${made.text}`)
  const first = join(root, 'first')
  mkdirSync(first)
  writeFileSync(join(first, 'README'), 'The first version. The rest follows.\n')
  const { result: v1 } = await cast.diad<CommandResults['publish']>(['publish', first, '--as', name, '--home', home('alice')])
  teller.says('alice', `published "${safe(name)}": ${count(v1.files, 'file')}, ${formatBytes(v1.bytes)}; signed head ${short(v1.snapshot)}`)
  const alice = cast.serve(['--home', home('alice')])
  const aliceAt = await alice.listening()
  teller.says('alice', `serves at ${where(aliceAt)} (process ${alice.pid})`)
  return { ...stage, name, domain, alice, aliceAt, home }
}

async function mirrorFirst ({ cast, teller, domain, home, aliceAt }: Scene): Promise<{ bob: Actor, bobAt: string }> {
  teller.chapter('Bob mirrors it')
  await cast.diad(['follow', domain, '--peer', aliceAt, '--home', home('bob')])
  const bob = cast.serve(['--home', home('bob')])
  const bobAt = await bob.listening()
  teller.says('bob', `follows the domain and serves at ${where(bobAt)} (process ${bob.pid})`)
  await complete(bob)
  teller.says('bob', 'holds the first version, every byte of it checked')
  return { bob, bobAt }
}

/** Waits until a mirror has all content of what it knows. */
async function complete (mirror: Actor): Promise<{ blocks: number, bytes: number }> {
  const done = await mirror.next('the mirror is complete', (e) => e.event === 'content' && e['missing'] === 0)
  return { blocks: done['blocks'] as number, bytes: done['bytes'] as number }
}

async function getReady ({ cast, teller, domain, home }: Scene, bobAt: string): Promise<{ malloryAt: string, oldHead: string }> {
  teller.chapter('Mallory gets ready')
  const mallory = cast.start(MALLORY, [home('mallory'), domain, bobAt])
  const { oldHead, forgedHead } = await mallory.next('mallory has pulled from bob', (e) => e.event === 'learned') as unknown as { oldHead: string, forgedHead: string }
  teller.says('mallory', `pulled the true objects from bob; keeps head ${short(oldHead)} to show it as the newest for ever`)
  teller.says('mallory', `made up head ${short(forgedHead)}, a thousand records longer, signed with a key of her own`)
  const malloryAt = await mallory.listening()
  teller.says('mallory', `serves at ${where(malloryAt)} (process ${mallory.pid}) and answers for every block with other bytes`)
  return { malloryAt, oldHead }
}

async function publishAll ({ cast, teller, directory, name, home, alice }: Scene, bob: Actor): Promise<CommandResults['publish']> {
  teller.chapter(`Alice publishes ${safe(directory)}, bob keeps up, alice disappears`)
  const start = performance.now()
  const { result: published, seconds } = await cast.diad<CommandResults['publish']>(['publish', directory, '--as', name, '--home', home('alice')], true)
  const told = performance.now()
  const speed = teller.measured('alice publishes', seconds, published.bytes)
  teller.says('alice', `published ${count(published.files, 'file')}, ${count(published.blocks, 'block')}: ${speed}; signed head ${short(published.snapshot)}`)
  const got = await watched(homePaths(home('bob')).store, published.bytes, () => complete(bob))
  teller.says('bob', `was told, and mirrored ${count(got.blocks, 'block')}: ${teller.measured('bob mirrors from alice', (performance.now() - told) / 1000, got.bytes)}`)
  teller.measured('both, from start to mirrored', (performance.now() - start) / 1000, published.bytes)
  await alice.kill()
  teller.says('alice', 'was killed (SIGKILL); nobody else has her keys')
  return published
}

/** Shows how a store grows, on a terminal, while something else is waited for. */
async function watched<T> (store: string, total: number, work: () => Promise<T>): Promise<T> {
  const bar = process.stderr.isTTY ? progressLine(process.stderr) : NO_PROGRESS
  const packs = join(store, 'packs')
  const look = (): void => {
    const done = readdirSync(packs).reduce((sum, file) => sum + statSync(join(packs, file)).size, 0)
    bar.update({ phase: 'bob mirrors', done: Math.min(done, total), total, unit: 'bytes' })
  }
  const timer = bar === NO_PROGRESS ? undefined : setInterval(look, 200)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    bar.stop()
  }
}

async function sync ({ cast, domain, home }: Scene, peers: readonly string[]): Promise<Ended<SyncResult>> {
  return await cast.diad<SyncResult>(['sync', domain, ...peers.flatMap((p) => ['--peer', p]), '--home', home('carol')], true)
}

async function meetTheLiar (scene: Scene, malloryAt: string, oldHead: string): Promise<void> {
  const { teller } = scene
  teller.chapter('Carol, who has no key and knows only the DomainID, meets mallory alone')
  const { exit, result } = await sync(scene, [malloryAt])
  report(scene, result, { [peerOf(malloryAt)]: 'mallory' })
  expect(result.snapshot === oldHead, `carol should hold the old head ${oldHead}, not ${result.snapshot ?? 'none'}`)
  expect(refusedWith(result, malloryAt, 'bad-signature'), 'the forged head should have been refused: bad-signature')
  expect(refusedWith(result, malloryAt, 'reference-mismatch'), 'the forged content should have been refused: reference-mismatch')
  expect(exit === 3 && result.status === 'deferred' && result.code === 'content-missing', `sync should end deferred: content-missing with 3, not ${result.status}: ${result.code} with ${exit}`)
  teller.says('carol', `holds the old head ${short(oldHead)}: it is true, she can't know yet that it is old; nothing else got in`)
}

async function fetchAll (scene: Scene, published: CommandResults['publish'], bobAt: string, malloryAt: string): Promise<void> {
  const { teller } = scene
  teller.chapter('Carol gets bob\'s address too')
  const { exit, result, seconds } = await sync(scene, [bobAt, malloryAt])
  teller.says('carol', `fetched ${count(result.blocks, 'block')}: ${teller.measured('carol syncs from bob and mallory', seconds, result.bytes)}`)
  report(scene, result, { [peerOf(malloryAt)]: 'mallory', [peerOf(bobAt)]: 'bob' })
  expect(exit === 0 && result.status === 'accepted', `sync should end accepted with 0, not ${result.status}: ${result.code} with ${exit}`)
  expect(result.snapshot === published.snapshot, `carol should hold alice's newest head ${published.snapshot}, not ${result.snapshot ?? 'none'}`)
  expect(result.refused.every((r) => r.peer !== peerOf(bobAt)), 'nothing of bob\'s should have been refused')
  teller.says('carol', `${teller.style.good('accepted')}: holds head ${short(published.snapshot)}, which overtook the old one`)
}

async function neverBack (scene: Scene, published: CommandResults['publish'], malloryAt: string, oldHead: string): Promise<void> {
  const { teller } = scene
  teller.chapter('Carol meets mallory alone again')
  const { exit, result } = await sync(scene, [malloryAt])
  report(scene, result, { [peerOf(malloryAt)]: 'mallory' })
  expect(refusedWith(result, malloryAt, 'superseded', oldHead), 'the old head should have been noted: superseded')
  expect(exit === 0 && result.snapshot === published.snapshot && result.blocks === 0, 'mallory alone must not change what carol holds')
  teller.says('carol', `${teller.style.good('unharmed')}: still head ${short(published.snapshot)}; a follower never goes back`)
}

async function checkout ({ cast, teller, domain, name, root, directory, home }: Scene, published: CommandResults['publish']): Promise<void> {
  teller.chapter('Carol checks it out')
  const target = `${domain}/${name}`
  const { result: verdict } = await cast.diad<CommandResults['verify']>(['verify', target, '--explain', '--home', home('carol')])
  expect(verdict.status === 'accepted', `diad verify says ${verdict.status}: ${verdict.code}`)
  teller.says('carol', `diad verify: ${teller.style.good(verdict.status)}, ${count(verdict.checks.length, 'check')} from the DomainID down to the name`)
  const dest = join(root, 'checkout')
  const { result, seconds } = await cast.diad<CommandResults['checkout']>(['checkout', target, dest, '--home', home('carol')], true)
  teller.says('carol', `wrote ${count(result.files, 'file')}: ${teller.measured('carol checks out', seconds, result.bytes)}`)
  const start = performance.now()
  const difference = await compareTrees(directory, dest, { modeBits: 0o777 })
  expect(difference === undefined, `what carol has differs from what alice published: ${difference ?? ''}`)
  const speed = teller.measured('the demo compares', (performance.now() - start) / 1000, published.bytes)
  teller.says('carol', `${teller.style.good('identical')} to what alice published, byte for byte, names, modes and links (compared ${speed})`)
}

/** What was refused, by whom, with the code and its meaning: each code once. */
function report ({ teller }: Scene, { refused }: SyncResult, names: Readonly<Record<string, string>>): void {
  const groups = new Map<string, { peer: string, code: string, refs: Array<string | null> }>()
  for (const { peer, code, ref } of refused) {
    const group = groups.get(`${peer} ${code}`) ?? { peer, code, refs: [] }
    group.refs.push(ref)
    groups.set(`${peer} ${code}`, group)
  }
  for (const { peer, code, refs } of groups.values()) {
    const from = names[peer] ?? peer
    const informational = code === 'superseded'
    const verdict = informational ? teller.style.careful(`informational: ${code}`) : teller.style.bad(`refused: ${code}`)
    const what = MEANING[code] ?? 'something else'
    const [first] = refs
    teller.says('carol', `${verdict}  ${what} from ${from}${first === undefined || first === null ? '' : `, ${short(first)}`}${refs.length > 1 ? ` and ${refs.length - 1} more` : ''}`)
  }
}

const MEANING: Readonly<Record<string, string>> = {
  'bad-signature': 'a head that its lane\'s key never signed,',
  'reference-mismatch': 'bytes that aren\'t what was asked for,',
  'peer-gone': 'cut off for what it gave: the rest of what was asked',
  superseded: 'a true head, older than what is held,'
}

function refusedWith ({ refused }: SyncResult, address: string, code: string, ref?: string): boolean {
  return refused.some((r) => r.peer === peerOf(address) && r.code === code && (ref === undefined || r.ref === ref))
}

/** The PeerId at the end of an address. */
function peerOf (address: string): string {
  return address.slice(address.lastIndexOf('/') + 1)
}

/** An address without its PeerId, which is long and says nothing here. */
function where (address: string): string {
  return address.slice(0, address.indexOf('/p2p/'))
}
