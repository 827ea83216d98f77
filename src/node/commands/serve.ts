/** `diad serve`: the daemon. Owns the store, listens, gossips, mirrors, and runs other commands that come over the home's socket. */
import { DiadError } from '../../substrate/errors.js'
import type { Reference } from '../../substrate/reference.js'
import { shownNames } from '../../authority/domain-view.js'
import type { CommandArgs, CommandEvent, CommandIo } from '../command.js'
import { WaitingRoom } from '../admission/waiting.js'
import { startControlServer } from '../control/server.js'
import { signedElsewhere } from '../elsewhere.js'
import { socketPath } from '../home/paths.js'
import { findKeyFile } from '../keys/key-file.js'
import { Network } from '../network.js'
import type { Report } from '../../federation/effects.js'
import { foundingHint } from '../roots/made-requests.js'
import { checkAddresses } from './check-arguments.js'
import { type Context, principalSigner, storedPeers } from './context.js'
import { movedField } from './moved.js'
import { isRescue } from './rescue/is-rescue.js'

const DEFAULT_LISTEN = ['/ip4/0.0.0.0/tcp/0']

export async function serve (context: Context, args: CommandArgs['serve'], io: CommandIo): Promise<undefined> {
  const { runtime, home } = context
  await checkAddresses(args.peers)
  await openGivenKey(context, io)
  const founding = runtime.own() === undefined ? foundingHint(home) : undefined
  if (founding !== undefined) io.warn(`the domain of this home is still to be founded, so there is nothing of its own to serve: ${founding}`)
  // The first line is `listening`, whatever the network has to say before it (docs/cli.md).
  const early: CommandEvent[] = []
  let open = false
  const event = (e: CommandEvent): void => {
    if (open) io.event(e)
    else early.push(e)
  }
  let told = ''
  /** Once for each manifest that comes: it is the owner's business. */
  const tellElsewhere = (domain: Reference): void => {
    const k = runtime.replica.domains.get(domain)
    const found = k === undefined ? undefined : signedElsewhere(home, runtime, k)
    const key = JSON.stringify(found?.changes ?? [])
    if (found !== undefined && key !== told) event({ event: 'signed-elsewhere', domain, ...found })
    if (runtime.records.get(domain)?.own === true) told = key
  }
  const toldMoves = new Map<Reference, string>()
  /** M8: once for each time that the roots of a domain name another one. */
  const tellMoved = (domain: Reference): void => {
    const k = runtime.replica.domains.get(domain)
    const key = k?.authority().moves.map((m) => m.move.to).join() ?? ''
    if (k !== undefined && key !== '' && key !== toldMoves.get(domain)) event({ event: 'moved', domain, ...movedField(runtime, k) })
    toldMoves.set(domain, key)
  }
  const onReport = (r: Report): void => {
    switch (r.kind) {
      case 'refused':
      case 'noted': event({ event: r.kind, peer: r.peer, domain: r.domain, code: r.code, ref: r.ref }); break
      case 'malformed': event({ event: 'refused', peer: r.peer, domain: null, code: 'malformed', ref: null }); break
      case 'changed': {
        const view = runtime.replica.domains.get(r.domain)?.view()
        event({ event: 'changed', domain: r.domain, by: r.by, names: view === undefined ? 0 : shownNames(view).length, view: view?.digest ?? null })
        tellElsewhere(r.domain)
        tellMoved(r.domain)
        break
      }
      case 'hello': event({ event: 'peer', peer: r.peer, domains: r.domains }); break
      case 'pulled': event({ event: 'pulled', peer: r.peer, domain: r.domain, outcome: r.outcome }); break
      case 'admission-request': event({ event: 'admission-request', domain: r.domain, peer: r.peer, request: r.request, scope: [...r.scope] }); break
    }
  }
  const known = new Set(args.peers)
  for (const domain of runtime.active()) for (const address of await storedPeers(context, domain, io)) known.add(address)
  const network = await Network.start({
    home,
    runtime,
    listen: args.listen.length > 0 ? args.listen : DEFAULT_LISTEN,
    bootstrap: [...known],
    mdns: args.mdns,
    dht: args.dht,
    autoMirror: true,
    seeks: true,
    onContent: (domain, result) => {
      event({ event: 'content', domain, blocks: result.blocks, bytes: result.bytes, whole: result.whole.length, missing: result.missing.length })
    },
    log: (line) => { event({ event: 'log', text: line }) }
  })
  context.network = network
  let unsubscribe: () => void = () => undefined
  try {
    const control = await startControlServer({
      path: socketPath(home.paths.root),
      backend: {
        run: async (command, commandArgs, commandIo) => {
          if (command === 'serve') throw new DiadError('store-busy', 'this home is served already', 'one daemon a home')
          return await context.run(command, commandArgs, commandIo)
        }
      },
      health: () => ({ peer: network.host.peerId }),
      report: (err) => { event({ event: 'log', text: err instanceof Error ? err.stack ?? err.message : String(err) }) }
    })
    try {
      open = true
      io.event({ event: 'listening', peer: network.host.peerId, addresses: network.host.addresses() })
      early.forEach(io.event)
      unsubscribe = runtime.onReport(onReport)
      runtime.active().forEach((domain) => {
        tellElsewhere(domain)
        tellMoved(domain)
      })
      // What waits in a rescue home would go with it.
      const own = args.admissions && !isRescue(home) ? runtime.own() : undefined
      if (own !== undefined) runtime.admission.room = new WaitingRoom(home, own)
      await new Promise<void>((resolve, reject) => {
        // Without its disk a node can keep no promise: it ends, and whoever supervises it sees why.
        runtime.onFailure((err) => { reject(err instanceof Error ? err : new Error(String(err))) })
        if (io.signal.aborted) resolve()
        else io.signal.addEventListener('abort', () => { resolve() }, { once: true })
      })
    } finally {
      unsubscribe()
      await control.close()
    }
  } finally {
    context.network = undefined
    runtime.admission.room = undefined
    await network.stop()
  }
  return undefined
}

/** A node that serves signs nothing by itself. A passphrase that was given is tried now: whoever waits for the first publication learns of a typo too late. */
async function openGivenKey (context: Context, io: CommandIo): Promise<void> {
  if (io.passphrase?.kind !== 'file') return
  if (findKeyFile(context.home.paths.keys, 'principal') === undefined) io.warn('--passphrase-file is not used: this home has no key')
  else await principalSigner(context, io, false)
}
