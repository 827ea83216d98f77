/**
 * `npm run scale -- 10 100 1000`: what federations of so many nodes cost in the simulator, each in a process of its own so that their memory is told
 * apart. One line of JSON a size; docs/scale.md is written from them by hand, and its chart by `--chart`.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { loadScenario } from '../sim/scenario/load.js'
import { PLUGINS } from '../sim/plugins.js'
import { runScenario } from '../sim/run.js'
import { chart, type Row } from './scale-chart.js'

/** How much everybody publishes. `full` is the scenario thousand-domains; `light` lets ten thousand nodes fit into this machine. */
const LOADS = {
  full: { times: 10, every: '10s', duration: '2m' },
  light: { times: 1, every: '10s', duration: '1m' }
}
type Load = keyof typeof LOADS

/** As the npm script `sim`: objects get room, or a fifth of the time goes into sweeping; and the old ones may fill the machine. */
const HEAP = ['--max-semi-space-size=160', '--initial-old-space-size=2500', '--max-old-space-size=20000']

/** Every node has a domain that ten others follow. */
function scenarioOf (nodes: number, load: Load): string {
  const { times, every, duration } = LOADS[load]
  return [
    `name: scale-${nodes}`,
    'shows: What so many nodes cost.',
    'threats: []',
    'seed: 1000',
    `duration: ${duration}`,
    'tick: 5s',
    `domains: {d: {count: ${nodes}}}`,
    `nodes: {n: {count: ${nodes}, domain: "d-{i}", follow: {random: ${Math.min(10, nodes - 1)}, of: d}}}`,
    'links: {default: {latency: 50ms, jitter: 20ms, bandwidth: 10MB/s}, topology: none}',
    'timeline:',
    `  - {every: ${every}, from: 10s, times: ${times}, spread: 10s, node: n, publish: {name: "n/{n}", bytes: 1kB}}`,
    'expect:',
    '  - {at: end, converged: [d]}'
  ].join('\n') + '\n'
}

async function measure (nodes: number, load: Load): Promise<Row> {
  const scenario = loadScenario(scenarioOf(nodes, load), `scale-${nodes}.yaml`, PLUGINS)
  const start = performance.now()
  const { status, cost, steps } = await runScenario(scenario, PLUGINS, { keepTrace: false })
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const deliveries = Math.max(1, cost.updates * Math.min(10, nodes - 1))
  return {
    nodes,
    load,
    status,
    steps,
    publications: cost.updates,
    deliveries,
    messages: cost.messages,
    bytes: cost.bytes,
    delayMedianMs: cost.delayMedian / 1000,
    delayP95Ms: cost.delayP95 / 1000,
    seconds: (performance.now() - start) / 1000,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakMiB: maxRSS / 1024
  }
}

/** In a process of its own. Rejects where that fails. */
async function apart (nodes: number, load: Load): Promise<Row> {
  const child = spawn(process.execPath, [...HEAP, fileURLToPath(import.meta.url), '--one', String(nodes), load], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => { text += chunk.toString() })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`the run with ${nodes} nodes ended with ${code ?? 'a signal'}`)
  return JSON.parse(text) as Row
}

async function main (argv: readonly string[]): Promise<void> {
  if (argv[0] === '--one') {
    process.stdout.write(JSON.stringify(await measure(Number(argv[1]), argv[2] as Load)) + '\n')
    return
  }
  const load: Load = argv.includes('--light') ? 'light' : 'full'
  const sizes = argv.filter((a) => !a.startsWith('--')).map(Number)
  if (sizes.length === 0 || sizes.some((n) => !Number.isSafeInteger(n) || n < 2)) {
    process.stderr.write('usage: npm run scale -- [--light] [--chart] NODES...   (2 or more each)\n')
    process.exitCode = 2
    return
  }
  const rows: Row[] = []
  for (const nodes of sizes) {
    const row = await apart(nodes, load)
    rows.push(row)
    process.stdout.write(JSON.stringify(row) + '\n')
    if (row.status !== 'passed') process.exitCode = 4
  }
  if (argv.includes('--chart')) process.stdout.write(chart(rows))
}

await main(process.argv.slice(2))
