/** One process of the bench. Gets one job by its channel, does it, says what came out, ends. */
import '../src/polyfill.js'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Report } from '../src/federation/replica.js'
import type { CommandIo } from '../src/node/command.js'
import { openHome } from '../src/node/home/home.js'
import { openLocalBackend } from '../src/node/local-backend.js'
import { missingRoots } from '../src/federation/mirror.js'
import { Network } from '../src/node/network.js'
import { Runtime } from '../src/node/runtime.js'
import { parseReference } from '../src/substrate/reference.js'
import { bareClient, bareServer } from './bare-stream.js'
import { copy } from './copy.js'
import { type Job, type Order, type Said, sharedClock } from './jobs.js'

function say (said: Said): void {
  process.send?.(said)
}

/** VmHWM: what the kernel has seen at most. maxRSS of Node.js is the same figure where there is no /proc. */
function peak (): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
    if (line !== null) return Number(line[1]) * 1024
  } catch {
    // not Linux
  }
  return process.resourceUsage().maxRSS * 1024
}

function silent (signal: AbortSignal, event: CommandIo['event'] = () => undefined): CommandIo {
  return { signal, event, progress: () => undefined, warn: () => undefined, write: async () => undefined }
}

const never = new AbortController().signal

async function publish (home: string, path: string): Promise<void> {
  const backend = await openLocalBackend(home, { command: 'init', create: true })
  await backend.run('init', { name: 'bench' }, silent(never))
  const start = performance.now()
  const { domain, bytes, blocks } = await backend.run('publish', { path, as: 'data' }, silent(never)) as { domain: string, bytes: number, blocks: number }
  const ms = performance.now() - start
  say({ event: 'done', ms, peak: peak(), domain, bytes, blocks })
  await backend.close()
}

async function serve (home: string, follow: { domain: string, address: string } | undefined): Promise<void> {
  if (follow !== undefined) {
    // A command of its own, as a person would do it: the daemon opens the home afterwards.
    const command = await openLocalBackend(home, { command: 'follow', create: true })
    await command.run('follow', { domain: follow.domain, mode: 'mirror', peers: [follow.address] }, silent(never))
    await command.close()
  }
  const backend = await openLocalBackend(home, { command: 'serve', create: true })
  const stop = new AbortController()
  const daemon = backend.run('serve', { listen: ['/ip4/127.0.0.1/tcp/0'], peers: [], mdns: false, dht: false }, silent(stop.signal, (event) => {
    if (event.event === 'listening') say({ event: 'listening', address: (event['addresses'] as string[])[0] ?? '' })
    if (event.event === 'changed') say({ event: 'changed', at: sharedClock(), by: String(event['by']), names: Number(event['names']) })
  }))
  process.on('message', (order: Order) => {
    if (order.order === 'stop') {
      stop.abort()
      return
    }
    const started = sharedClock()
    backend.run('publish', { path: order.path, as: order.as }, silent(never)).then(
      () => say({ event: 'published', started, ended: sharedClock() }),
      (err: unknown) => say({ event: 'failed', why: String(err) })
    )
  })
  await daemon
  say({ event: 'done', ms: 0, peak: peak() })
  await backend.close()
}

async function follow (root: string, text: string, address: string): Promise<void> {
  const domain = parseReference(text)
  const home = openHome(root, { create: 'reader' })
  const runtime = await Runtime.open(home.paths.store, true)
  const network = await Network.start({ home, runtime, listen: [], bootstrap: [], mdns: false, dht: false, autoMirror: false })
  await runtime.follow(domain, 'mirror', [])
  const start = performance.now()
  const pulled = new Promise<void>((resolve, reject) => {
    runtime.onReport((r: Report) => {
      if (r.kind !== 'pulled' || r.domain !== domain) return
      if (r.outcome === 'updated') resolve()
      else reject(new Error(`the pull ended as ${r.outcome}`))
    })
  })
  await network.host.dial(address)
  await pulled
  const result = await network.fetch(domain, { stop: never })
  const ms = performance.now() - start
  const missing = missingRoots(runtime, await runtime.knowledge(domain))
  if (result === undefined || missing.length > 0) throw new Error('the fetch ended and the content is not complete')
  say({ event: 'done', ms, peak: peak(), bytes: result.bytes, blocks: result.blocks })
  await network.stop()
  await runtime.close()
}

async function main (job: Job): Promise<void> {
  switch (job.kind) {
    case 'copy': {
      const { ms, bytes } = copy(job.path, job.out)
      say({ event: 'done', ms, bytes, peak: peak() })
      break
    }
    case 'publish': await publish(job.home, job.path); break
    case 'serve': await serve(job.home, job.follow); break
    case 'follow': await follow(job.home, job.domain, job.address); break
    case 'bare-server': {
      const server = await bareServer(job.bytes, job.message)
      say({ event: 'listening', address: server.address })
      await once(process, 'message')
      await server.stop()
      break
    }
    case 'bare-client': say({ event: 'done', ms: await bareClient(job.address, job.bytes), peak: peak() })
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
