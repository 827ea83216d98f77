/** The measurements. Each is made beside its floor, the two in turn, so that whatever else the machine does is done to both. */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Crew } from './crew.js'
import { KiB, makeFiles, type Shape, totalBytes } from './data.js'

export interface Case {
  readonly name: string
  readonly shape: Shape
}

/** Speeds in bytes a second, memory in bytes; all of them medians. */
export interface CaseResult {
  readonly name: string
  readonly files: number
  readonly bytes: number
  readonly import: { readonly speed: number, readonly floor: number, readonly ratio: number, readonly peak: number }
  /** `perFile`: the floor with one message a file, where that differs */
  readonly fetch: { readonly speed: number, readonly floor: number, readonly ratio: number, readonly perFile: number | undefined, readonly peak: number, readonly serverPeak: number }
}

export interface GossipResult {
  readonly rounds: number
  /** ms from the call of publish to the follower's changed view; of the rounds after the first that came by gossip */
  readonly delay: number
  readonly slowest: number
  /** ms that the publishing itself took, until it was durable */
  readonly publish: number
  /** how the changes came; a pull would be the net below the gossip */
  readonly by: Readonly<Record<string, number>>
}

export const MESSAGE = 256 * KiB

export function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** One directory: imported, published and followed `runs` times, each from nothing. */
export async function measureCase (crew: Crew, root: string, { name, shape }: Case, runs: number): Promise<CaseResult> {
  const data = join(root, 'data')
  makeFiles(data, shape, name)
  const bytes = totalBytes(shape)
  const average = Math.round(bytes / shape.files)
  const ms = { copy: [], publish: [], bare: [], perFile: [], follow: [] } as Record<'copy' | 'publish' | 'bare' | 'perFile' | 'follow', number[]>
  const peaks = { publish: [], follow: [], serve: [] } as Record<'publish' | 'follow' | 'serve', number[]>
  try {
    for (let run = 0; run < runs; run++) {
      const here = join(root, `run-${run}`)
      mkdirSync(here)
      const publisher = join(here, 'publisher')
      const out = join(here, 'copy')
      ms.copy.push((await crew.run({ kind: 'copy', path: data, out })).ms)
      if (statSync(out).size !== bytes) throw new Error('the floor has not copied everything')
      rmSync(out)
      const published = await crew.run({ kind: 'publish', home: publisher, path: data })
      if (published.bytes !== bytes || published.domain === undefined) throw new Error(`published ${published.bytes ?? 0} bytes of ${bytes}`)
      ms.publish.push(published.ms)
      peaks.publish.push(published.peak)

      ms.bare.push(await bare(crew, bytes, MESSAGE))
      if (average < MESSAGE) ms.perFile.push(await bare(crew, bytes, average))
      const server = crew.start({ kind: 'serve', home: publisher })
      const { address } = await server.next('listening')
      const followed = await crew.run({ kind: 'follow', home: join(here, 'follower'), domain: published.domain, address })
      if ((followed.bytes ?? 0) < bytes) throw new Error(`fetched ${followed.bytes ?? 0} bytes of ${bytes}`)
      ms.follow.push(followed.ms)
      peaks.follow.push(followed.peak)
      server.order({ order: 'stop' })
      peaks.serve.push((await server.next('done')).peak)
      await server.gone
      rmSync(here, { recursive: true, force: true })
    }
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
  const speed = (times: readonly number[]): number => bytes / median(times) * 1000
  return {
    name,
    files: shape.files,
    bytes,
    import: { speed: speed(ms.publish), floor: speed(ms.copy), ratio: median(ms.copy) / median(ms.publish), peak: median(peaks.publish) },
    fetch: {
      speed: speed(ms.follow),
      floor: speed(ms.bare),
      ratio: median(ms.bare) / median(ms.follow),
      perFile: ms.perFile.length === 0 ? undefined : speed(ms.perFile),
      peak: median(peaks.follow),
      serverPeak: median(peaks.serve)
    }
  }
}

async function bare (crew: Crew, bytes: number, message: number): Promise<number> {
  const server = crew.start({ kind: 'bare-server', bytes, message })
  const { address } = await server.next('listening')
  const { ms } = await crew.run({ kind: 'bare-client', address, bytes })
  await server.stop()
  return ms
}

/** Rounds that may pass until the two have told each other what they subscribe to. From the first that came by gossip on, all count, however they come. */
const WARM_UP = 20

/** Small files published in one daemon until another daemon's view changes. */
export async function measureGossip (crew: Crew, root: string, rounds: number): Promise<GossipResult> {
  const here = join(root, 'gossip')
  mkdirSync(here)
  const file = join(here, 'file')
  writeFileSync(file, 'the first')
  const home = join(here, 'publisher')
  const { domain } = await crew.run({ kind: 'publish', home, path: file })
  if (domain === undefined) throw new Error('publishing named no domain')
  const publisher = crew.start({ kind: 'serve', home })
  const { address } = await publisher.next('listening')
  const follower = crew.start({ kind: 'serve', home: join(here, 'follower'), follow: { domain, address } })
  let names = 1
  // A pull reports several changes, so each round has a name of its own and waits for the view that shows it.
  await follower.next('changed', (c) => c.names >= names)
  const delays: number[] = []
  const own: number[] = []
  const by: Record<string, number> = {}
  for (let n = 0, warm = 0; n < rounds;) {
    const goal = ++names
    writeFileSync(file, `content ${goal}`)
    publisher.order({ order: 'publish', path: file, as: `data-${goal}` })
    const [published, changed] = await Promise.all([publisher.next('published'), follower.next('changed', (c) => c.names >= goal)])
    if (n === 0 && changed.by !== 'gossip') {
      if (++warm > WARM_UP) throw new Error(`${WARM_UP} publications, and none came by gossip`)
      continue
    }
    n++
    delays.push(changed.at - published.started)
    own.push(published.ended - published.started)
    by[changed.by] = (by[changed.by] ?? 0) + 1
  }
  await Promise.all([publisher.stop(), follower.stop()])
  return { rounds, delay: median(delays), slowest: Math.max(...delays), publish: median(own), by }
}
