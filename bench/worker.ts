/** One process of a floor. Gets one job by its channel, does it, says what came out, ends. The product itself runs as `diad` (diad.ts). */
import '../src/polyfill.js'
import { once } from 'node:events'
import { bareClient, bareServer } from './bare-stream.js'
import { copy } from './copy.js'
import type { Job, Said } from './jobs.js'

function say (said: Said): void {
  process.send?.(said)
}

async function main (job: Job): Promise<void> {
  switch (job.kind) {
    case 'copy': say({ event: 'done', ms: copy(job.path, job.out) }); break
    case 'bare-server': {
      const server = await bareServer(job.bytes, job.message)
      say({ event: 'listening', address: server.address })
      await once(process, 'message')
      await server.stop()
      break
    }
    case 'bare-client': say({ event: 'done', ms: await bareClient(job.address, job.bytes) })
  }
}

const [job] = await once(process, 'message') as [Job]
try {
  await main(job)
} catch (err) {
  say({ event: 'failed', why: err instanceof Error ? err.stack ?? err.message : String(err) })
  process.exitCode = 1
}
process.disconnect()
