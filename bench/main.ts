/**
 * `npm run bench [-- --quick] [--runs N] [--json FILE]`: how fast and in how much memory the main jobs are done, each against a floor measured in the
 * same run. Prints a table and, as the last line or into FILE, the same as JSON. Only the ratios mean anything on another machine.
 */
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Crew } from './crew.js'
import { largeFiles, MiB, smallFiles } from './data.js'
import { type Case, type CaseResult, type GossipResult, measureCase, measureGossip } from './measure.js'

/** What the project has set itself; a lower ratio is marked in the table. */
const TARGETS = { import: 1 / 2, fetch: 1 / 3 }
const GOSSIP_ROUNDS = 20

/** Each kind of directory at two sizes: memory that grows with the directory shows as a difference. */
function cases (quick: boolean): Case[] {
  const [files, large] = quick ? [2_000, 64] : [20_000, 1024]
  const part = large / 8
  return [
    { name: `${files / 10} small files`, shape: smallFiles(files / 10) },
    { name: `${files} small files`, shape: smallFiles(files) },
    { name: `${part} MiB, 1 file`, shape: largeFiles(1, part * MiB) },
    { name: `${large} MiB, 8 files`, shape: largeFiles(8, part * MiB) }
  ]
}

function table (results: readonly CaseResult[]): string {
  const mib = (bytes: number): string => (bytes / MiB).toFixed(0)
  const against = (ratio: number, target: number): string => `${ratio.toFixed(2)}${ratio < target ? ' !' : ''}`
  const head = ['', 'import', 'floor', 'ratio', 'fetch', 'floor', 'ratio', 'floor, one', 'peak memory:', '', '']
  const below = ['', 'MiB/s', 'MiB/s', `≥ ${TARGETS.import.toFixed(2)}`, 'MiB/s', 'MiB/s', `≥ ${TARGETS.fetch.toFixed(2)}`, 'msg a file', 'publisher', 'server', 'follower']
  const rows = results.map((r) => [
    r.name,
    mib(r.import.speed), mib(r.import.floor), against(r.import.ratio, TARGETS.import),
    mib(r.fetch.speed), mib(r.fetch.floor), against(r.fetch.ratio, TARGETS.fetch), r.fetch.perFile === undefined ? '' : mib(r.fetch.perFile),
    `${mib(r.import.peak)} MiB`, `${mib(r.fetch.serverPeak)} MiB`, `${mib(r.fetch.peak)} MiB`
  ])
  const all = [head, below, ...rows]
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]!.length)))
  return all.map((row) => row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join('  ')).join('\n')
}

function gossipLine ({ rounds, delay, slowest, publish, by }: GossipResult): string {
  const ways = Object.entries(by).map(([way, n]) => `${n} by ${way}`).join(', ')
  return `gossip: ${delay.toFixed(1)} ms from publish to the follower's changed view (median of ${rounds}; slowest ${slowest.toFixed(1)} ms; ${publish.toFixed(1)} ms of it until durable; ${ways})`
}

async function main (): Promise<void> {
  const { values } = parseArgs({
    options: { 'runs': { type: 'string', default: '3' }, 'quick': { type: 'boolean', default: false }, 'json': { type: 'string' }, 'only': { type: 'string' } }
  })
  const runs = Number(values.runs)
  if (!Number.isSafeInteger(runs) || runs < 1) throw new Error(`--runs takes a number from 1, not ${values.runs}`)

  const root = realpathSync(mkdtempSync(join(tmpdir(), 'diad-bench-')))
  // Lane markers must stand in a memory file system (Linux has one here), and ours shall not stay there.
  const memory = process.platform === 'linux' && existsSync('/dev/shm') ? mkdtempSync('/dev/shm/diad-bench-') : root
  const crew = new Crew({ DIAD_RUNTIME_DIR: memory })
  process.on('exit', () => {
    crew.killAll()
    for (const folder of [root, memory]) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

  const chosen = cases(values.quick).filter((c) => values.only === undefined || c.name.includes(values.only))
  const results: CaseResult[] = []
  for (const one of chosen) {
    process.stderr.write(`${one.name} …\n`)
    results.push(await measureCase(crew, root, one, runs))
  }
  process.stderr.write('gossip …\n')
  const gossip = await measureGossip(crew, root, GOSSIP_ROUNDS)
  process.stdout.write(`${table(results)}\n${gossipLine(gossip)}\nmedians of ${runs}; the files to import are in the system's cache; ! = below the target\n`)

  const machine = { node: process.version, platform: `${process.platform} ${process.arch}`, cpu: cpus()[0]?.model ?? '', cores: availableParallelism() }
  const json = JSON.stringify({ machine, runs, quick: values.quick, targets: TARGETS, cases: results, gossip })
  if (values.json === undefined) process.stdout.write(`${json}\n`)
  else writeFileSync(values.json, `${json}\n`)
}

try {
  await main()
  process.exit(0)
} catch (err) {
  process.stderr.write(`bench: ${err instanceof Error ? err.message : String(err)}\n`)
  process.exit(1)
}
