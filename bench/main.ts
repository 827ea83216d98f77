/**
 * `npm run bench [-- --quick] [--rounds N] [--json FILE]`: how fast and in how much memory the main jobs are done, each against a floor measured in the
 * same run. Prints a table and, as the last line or into FILE, the same as JSON. Only the ratios mean anything on another machine. See docs/bench.md.
 */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Crew } from './crew.js'
import { largeFiles, MiB, smallFiles } from './data.js'
import { Diad } from './diad.js'
import { type Case, measureCase, type CaseResult, measureGossip } from './measure.js'
import { growths, table } from './report.js'

const GOSSIP_ROUNDS = 10

/** Each kind of directory at two sizes: memory that grows with the directory shows as a difference. */
function cases (quick: boolean, rounds: number): Case[] {
  const [files, large] = quick ? [2_000, 128] : [20_000, 1024]
  const part = large / 8
  const [few, little] = [`${files / 10} small files`, `${part} MiB in 1 file`]
  return [
    { name: few, shape: smallFiles(files / 10), rounds: 1 },
    { name: `${files} small files`, smaller: few, shape: smallFiles(files), rounds },
    { name: little, shape: largeFiles(1, part * MiB), rounds: 1 },
    { name: `${large} MiB in 8 files`, smaller: little, shape: largeFiles(8, part * MiB), rounds }
  ]
}

async function main (): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, quick: { type: 'boolean', default: false }, json: { type: 'string' }, only: { type: 'string' } } })
  const rounds = Number(values.rounds)
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds takes a number from 1, not ${values.rounds}`)

  const root = realpathSync(mkdtempSync(join(tmpdir(), 'diad-bench-')))
  // Lane markers must stand in a memory file system (Linux has one here), and ours shall not stay there.
  const memory = process.platform === 'linux' && existsSync('/dev/shm') ? mkdtempSync('/dev/shm/diad-bench-') : join(root, 'memory')
  mkdirSync(memory, { recursive: true })
  const crew = new Crew()
  const diad = new Diad(root, memory)
  process.on('exit', () => {
    crew.killAll()
    diad.killAll()
    for (const directory of [root, memory]) rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

  const results: CaseResult[] = []
  for (const one of cases(values.quick, rounds)) {
    if (values.only !== undefined && !one.name.includes(values.only)) continue
    process.stderr.write(`${one.name} …\n`)
    results.push(await measureCase({ root, crew, diad }, one))
  }
  process.stderr.write('gossip …\n')
  const gossip = await measureGossip({ root, crew, diad }, GOSSIP_ROUNDS)
  process.stdout.write(`${table(results, gossip)}\n`)

  const machine = { node: process.version, platform: `${process.platform} ${process.arch}`, cpu: cpus()[0]?.model ?? '', cores: availableParallelism() }
  const json = JSON.stringify({ machine, quick: values.quick, cases: results, memory: growths(results), gossip })
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
