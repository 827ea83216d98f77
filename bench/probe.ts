/** Loaded into each measured `diad` by `node --import`: at its exit it writes its largest resident size to $BENCH_PROBE, and changes nothing else. */
import { readFileSync, writeFileSync } from 'node:fs'

const file = process.env['BENCH_PROBE']
if (file !== undefined) process.on('exit', () => { writeFileSync(file, String(peak())) })

/** Bytes. VmHWM: what the kernel has seen at most; where there is no /proc, maxRSS of Node.js is the same figure. */
function peak (): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
    if (line !== null) return Number(line[1]) * 1024
  } catch {
    // not Linux
  }
  return process.resourceUsage().maxRSS * 1024
}
