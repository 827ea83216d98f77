/**
 * `diad admit request` over the network (D1): a nonce from the receiver's node, and with it the request, on one connection. Which node answers proves
 * nothing (THREATS 25): one in between can carry the request or drop it, and nothing else, since the receiver stands in the signed bytes.
 */
import { type Status, VERDICT_CODES, type VerdictCode } from '../../../authority/verdict.js'
import { admissionRequestCodec } from '../../../authority/admission-objects.js'
import { requestMessage } from '../../../federation/admission-exchange.js'
import { DiadError } from '../../../substrate/errors.js'
import type { Reference } from '../../../substrate/reference.js'
import { signatureCodec } from '../../../substrate/signature.js'
import type { CommandIo } from '../../command.js'
import { checkAddresses } from '../check-arguments.js'
import { calledHere, type Context, domainOf, storedPeers } from '../context.js'
import { dialAll, withNetwork } from '../networked.js'
import { type Applying, openApplying } from './applying.js'
import type { AdmissionArgs, AdmissionResults } from './types.js'

const DEFAULT_TIMEOUT = 60

export async function requestOnline (context: Context, args: AdmissionArgs['admit request'], io: CommandIo): Promise<AdmissionResults['admit request']> {
  const { peers = [], timeoutSeconds = DEFAULT_TIMEOUT } = args
  await checkAddresses(peers)
  const receiver = domainOf(context, args.to)
  const stored = peers.length > 0 ? [] : await storedPeers(context, receiver, io)
  const known = context.network === undefined ? [] : context.runtime.replica.providers(receiver)
  if (peers.length + stored.length + known.length === 0) {
    throw new DiadError('not-found', `no address of ${calledHere(context, receiver)} is known here`, 'name a node of it with --peer; or ask for a nonce in a file and give it with --nonce and --out')
  }
  const applying = await openApplying(context, receiver, args, io)
  const limit = AbortSignal.timeout(timeoutSeconds * 1000)
  const signal = AbortSignal.any([io.signal, limit])
  try {
    return await withNetwork(context, async (network) => {
      const { reached, unreached } = await dialAll(network, peers.length > 0 ? peers : stored, signal)
      for (const { why } of unreached) io.warn(why)
      // Those that were named are asked first, then who is connected and has the domain: its own node most likely has.
      const candidates = [...new Set([...reached.keys(), ...peers.length > 0 ? [] : known.filter((p) => network.host.peers().includes(p))])]
      return await within(signal, askEach(context, candidates, applying), () => {
        io.signal.throwIfAborted()
        return new DiadError('timeout', `nobody took the request within ${timeoutSeconds} s`, 'check the address; --timeout waits longer')
      })
    })
  } finally {
    applying.close()
  }
}

/** The first that takes requests for the receiver gets it. Throws what kept the last from it, the one that says most. */
async function askEach (context: Context, candidates: readonly string[], applying: Applying): Promise<AdmissionResults['admit request']> {
  const { receiver } = applying.said
  let failure = new DiadError('peer-unreachable', `no node of ${calledHere(context, receiver)} could be reached`, 'check the address, and that the node runs and its port is reachable')
  for (const peer of candidates) {
    try {
      return { ...applying.said, request: await askOne(context, peer, applying), peer, answer: 'received' }
    } catch (err) {
      if (!(err instanceof DiadError)) throw err
      if (!PASSING.has(err.code)) throw err
      failure = err
    }
  }
  throw failure
}

/** What another node may do better. */
const PASSING = new Set(['not-taken', 'peer-gone', 'peer-timeout', 'wrong-answer'])

/** Returns the Reference of the request that was taken. */
async function askOne (context: Context, peer: string, { said: { receiver }, sign }: Applying): Promise<Reference> {
  const { admission } = context.runtime
  const { status, nonce } = await admission.ask(peer, { t: 'challenge', receiver })
  if (status !== 'nonce') throw refusal(status, peer)
  const { request, ref, signature, objects } = await sign(nonce)
  const { code } = await admission.ask(peer, requestMessage(admissionRequestCodec.artifact(request), signatureCodec.artifact(signature), objects))
  if (code !== 'received') throw refusal(code, peer)
  return ref
}

const REFUSING: ReadonlySet<Status> = new Set(['rejected', 'void', 'deferred'])

/** What the peer says is its own word: only codes that are known here become ours. */
function refusal (code: string, peer: string): DiadError {
  if (code === 'not-taken') return new DiadError('not-taken', `${peer} takes no requests for that domain`, 'it may not be a node of it, or run without admissions: give another --peer, or ask for a nonce in a file')
  if (code === 'busy') return new DiadError('busy', `${peer} has no room for another request now`, 'ask again later, or ask for a nonce in a file')
  const known = VERDICT_CODES.get(code as VerdictCode)
  if (known === undefined || !REFUSING.has(known.status)) return new DiadError('request-refused', `${peer} refused the request for a reason that isn't known here`, 'it may be of another version: update diad')
  return new DiadError(code, `${peer} refused the request: ${known.meaning}`, 'see `diad verify` for this domain; a node that knows it better may have to bring something first')
}

/** `work`, or what `late` gives when the signal fires first. */
async function within<T> (signal: AbortSignal, work: Promise<T>, late: () => DiadError): Promise<T> {
  const stopped = new AbortController()
  try {
    return await Promise.race([work, new Promise<never>((_resolve, reject) => {
      const onAbort = (): void => {
        try {
          reject(late())
        } catch (err) {
          reject(err instanceof Error ? err : new Error(String(err)))
        }
      }
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true, signal: stopped.signal })
    })])
  } finally {
    stopped.abort()
    work.catch(() => undefined)
  }
}
