/** The measurements. Each is made beside its floor, the two in turn, so that whatever else the machine does is done to both. */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Crew } from './crew.js'
import { KiB, makeFiles, type Shape, totalBytes } from './data.js'
import type { Diad } from './diad.js'
import { type Against, against, busy, median, type Round } from './statistics.js'

/** What the project has set itself. */
export const TARGETS = { import: 1 / 2, fetch: 1 / 3 }

/** Of the bare stream: as large as a content block, the best case for it. */
const MESSAGE = 256 * KiB

export interface Case {
  readonly name: string
  /** the smaller directory of the same kind, for what memory does when the directory grows */
  readonly smaller?: string
  readonly shape: Shape
  readonly rounds: number
}

/** Above this share of the machine the figures say more about its other users than about diad. */
export const QUIET = 0.1

export interface CaseResult {
  readonly name: string
  readonly smaller: string | undefined
  readonly files: number
  readonly bytes: number
  readonly import: Against
  readonly fetch: Against
  /** bytes a second of the bare stream with one message a file, where files are smaller than its messages; for comparison, nothing is judged by it */
  readonly bareByFile: number | undefined
  /** the largest share of the CPU that others had just before a round, 0 to 1 */
  readonly busy: number
  /** largest resident sizes in bytes, of the rounds' medians; `idle`: the same command with a file of one byte */
  readonly memory: { readonly publish: number, readonly serve: number, readonly sync: number, readonly idlePublish: number, readonly idleSync: number }
}

export interface Bench {
  readonly root: string
  readonly crew: Crew
  readonly diad: Diad
}

/** One directory, published and followed `rounds` times, each time by a new domain into an empty home. */
export async function measureCase (bench: Bench, { name, smaller, shape, rounds }: Case): Promise<CaseResult> {
  const { root, crew, diad } = bench
  const data = join(root, 'data')
  const one = join(root, 'one')
  writeFileSync(one, '1')
  makeFiles(data, shape, name)
  const bytes = totalBytes(shape)
  const imports: Round[] = []
  const fetches: Round[] = []
  const byFile: number[] = []
  const average = Math.round(bytes / shape.files)
  let others = 0
  const memory = { publish: [], serve: [], sync: [], idlePublish: [], idleSync: [] } as Record<keyof CaseResult['memory'], number[]>
  try {
    for (let round = 0; round < rounds; round++) {
      const here = join(root, `round-${round}`)
      mkdirSync(here)
      const [publisher, follower] = [join(here, 'publisher'), join(here, 'follower')]
      const out = join(here, 'copy')
      const domain = String((await diad.run(publisher, 'init', '--name', 'bench', '--no-passphrase')).result['domain'])

      others = Math.max(others, await busy())
      const copyMs = await crew.time({ kind: 'copy', path: data, out })
      if (statSync(out).size !== bytes) throw new Error('the floor has not copied everything')
      rmSync(out)
      const idle = await diad.run(publisher, 'publish', one, '--as', 'one')
      const published = await diad.run(publisher, 'publish', data, '--as', 'data')
      if (published.result['bytes'] !== bytes) throw new Error(`published ${String(published.result['bytes'])} bytes of ${bytes}`)
      imports.push({ floorMs: copyMs, wholeMs: published.ms, idleMs: idle.ms })

      const bareMs = await bare(crew, bytes, MESSAGE)
      if (average < MESSAGE) byFile.push(await bare(crew, bytes, average))
      const idleSync = await syncOnce(bench, here, one)
      const server = await diad.serve(publisher)
      const synced = await diad.run(follower, 'sync', domain, '--peer', server.address)
      if (Number(synced.result['bytes']) < bytes) throw new Error(`fetched ${String(synced.result['bytes'])} bytes of ${bytes}`)
      fetches.push({ floorMs: bareMs, wholeMs: synced.ms, idleMs: idleSync.ms })
      for (const [key, value] of Object.entries({ publish: published.peak, serve: await server.stop(), sync: synced.peak, idlePublish: idle.peak, idleSync: idleSync.peak })) memory[key as keyof typeof memory].push(value)
      rmSync(here, { recursive: true, force: true })
    }
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
  return {
    name,
    smaller,
    files: shape.files,
    bytes,
    import: against(bytes, imports, TARGETS.import),
    fetch: against(bytes, fetches, TARGETS.fetch),
    bareByFile: byFile.length === 0 ? undefined : bytes / median(byFile) * 1000,
    busy: others,
    memory: { publish: median(memory.publish), serve: median(memory.serve), sync: median(memory.sync), idlePublish: median(memory.idlePublish), idleSync: median(memory.idleSync) }
  }
}

async function bare (crew: Crew, bytes: number, message: number): Promise<number> {
  const server = crew.start({ kind: 'bare-server', bytes, message })
  const { address } = await server.next('listening')
  const ms = await crew.time({ kind: 'bare-client', address, bytes })
  await server.stop()
  return ms
}

/** A whole `diad sync` that fetches one file of one byte: what a sync costs without content. */
async function syncOnce ({ diad }: Bench, here: string, file: string): Promise<{ ms: number, peak: number }> {
  const home = join(here, 'idle-publisher')
  const domain = String((await diad.run(home, 'init', '--name', 'idle', '--no-passphrase')).result['domain'])
  await diad.run(home, 'publish', file, '--as', 'one')
  const server = await diad.serve(home)
  const ran = await diad.run(join(here, 'idle-follower'), 'sync', domain, '--peer', server.address)
  await server.stop()
  return ran
}

export interface GossipResult {
  readonly rounds: number
  /** ms between two lines on standard output: the publisher's daemon shows its new view, the follower's daemon shows the same view */
  readonly view: { readonly median: number, readonly slowest: number }
  /** ms until the follower's daemon says that it holds the content */
  readonly held: { readonly median: number, readonly slowest: number }
  /** ms of the whole `diad publish` through the daemon, the start of Node.js included; the view is shown in the middle of it */
  readonly command: number
  /** how the follower came to know: gossip, or a pull, which is the net below it */
  readonly by: Readonly<Record<string, number>>
}

/** Small files published through one daemon until the other daemon holds them. */
export async function measureGossip ({ root, diad }: Bench, rounds: number): Promise<GossipResult> {
  const here = join(root, 'gossip')
  mkdirSync(here)
  const file = join(here, 'file')
  const [publisher, follower] = [join(here, 'publisher'), join(here, 'follower')]
  const domain = String((await diad.run(publisher, 'init', '--name', 'bench', '--no-passphrase')).result['domain'])
  const source = await diad.serve(publisher)
  await diad.run(follower, 'follow', domain, '--peer', source.address)
  const sink = await diad.serve(follower, '--peer', source.address)
  const views: number[] = []
  const helds: number[] = []
  const commands: number[] = []
  const by: Record<string, number> = {}
  // The first one finds the two while they still tell each other what they subscribe to.
  for (let n = -1; n < rounds; n++) {
    writeFileSync(file, `content ${n}`)
    const [a, b] = [source.length, sink.length]
    const command = await diad.run(publisher, 'publish', file, '--as', `name-${n}`)
    const own = await source.next((e) => e.event === 'changed', a)
    const seen = await sink.next((e) => e.event === 'changed' && e['view'] === own['view'], b)
    const held = await sink.next((e) => e.event === 'content' && Number(e['whole']) > 0, b)
    if (n < 0) continue
    views.push(seen.at - own.at)
    helds.push(held.at - own.at)
    commands.push(command.ms)
    by[String(seen['by'])] = (by[String(seen['by'])] ?? 0) + 1
  }
  await Promise.all([source.stop(), sink.stop()])
  return {
    rounds,
    view: { median: median(views), slowest: Math.max(...views) },
    held: { median: median(helds), slowest: Math.max(...helds) },
    command: median(commands),
    by
  }
}
