/** Multiaddrs as people write them, and what went wrong with them in one line. */
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { DiadError } from '../../substrate/errors.js'

const HOSTS = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6'])
const HINT = 'write /ip4/192.0.2.1/tcp/4001, /ip6/…/tcp/… or /dns4/host/tcp/…, to dial also with /p2p/ID at the end'

export interface ParsedAddress {
  readonly text: string
  readonly multiaddr: Multiaddr
  /** The PeerId it names, if it names one. */
  readonly peer: string | undefined
}

/** Throws DiadError `malformed-address` unless `text` is a TCP multiaddr, with /p2p/ID or without. */
export function parseAddress (text: string): ParsedAddress {
  let parsed: Multiaddr
  let names: string[]
  let peer: string | undefined
  try {
    parsed = multiaddr(text)
    const parts = parsed.getComponents()
    names = parts.map((c) => c.name)
    peer = parts.find((c) => c.name === 'p2p')?.value
    if (peer !== undefined) peerIdFromString(peer)
  } catch (err) {
    throw new DiadError('malformed-address', `"${shown(text)}" is not a multiaddr: ${reason(err)}`, HINT, { cause: err })
  }
  const [host, transport, ...rest] = names
  if (host === undefined || !HOSTS.has(host) || transport !== 'tcp' || rest.length > 1 || (rest.length === 1 && rest[0] !== 'p2p')) {
    throw new DiadError('malformed-address', `"${shown(text)}" is not a TCP address`, HINT)
  }
  return { text, multiaddr: parsed, peer }
}

/** An address to listen on or to announce: it names no peer. */
export function parseListenAddress (text: string): ParsedAddress {
  const parsed = parseAddress(text)
  if (parsed.peer !== undefined) throw new DiadError('malformed-address', `"${shown(text)}" names a peer; an address of our own doesn't`, 'leave out /p2p/ID')
  return parsed
}

/** Why listening failed, as a DiadError naming the multiaddr. libp2p reports all addresses in one text, each with the error of its socket. */
export function listenError (listen: readonly string[], err: unknown): DiadError {
  const text = reason(err)
  const failing = (code: string): string => listen.find((a) => new RegExp(`^\\s*${escape(a)}: .*${code}`, 'm').test(text)) ?? listen.join(', ')
  const options = { cause: err }
  if (text.includes('EADDRINUSE')) return new DiadError('port-in-use', `the port of ${failing('EADDRINUSE')} is in use`, 'stop the other program, or listen on another port (port 0 takes any free one)', options)
  const code = /\b(EADDRNOTAVAIL|EACCES|ENOTFOUND|EAFNOSUPPORT)\b/.exec(text)?.[1]
  const address = code === undefined ? listen.join(', ') : failing(code)
  return new DiadError('address-unavailable', `can't listen on ${address}${code === undefined ? `: ${text.split('\n')[0] ?? ''}` : ` (${code})`}`, 'listen on an address of this machine, and on a port above 1023 unless you are root', options)
}

/** Why dialling failed, as a DiadError of one line. `own`: where this node listens. */
export function dialError (address: string, err: unknown, own: readonly string[] = []): DiadError {
  const options = { cause: err }
  const text = reasons(err).join('; ')
  if (/does not match expected/i.test(text)) {
    return new DiadError('peer-mismatch', `${shown(address)} is answered by another peer than the address names`, 'its key has changed or the address now belongs to someone else: ask for the new address', options)
  }
  if (/dial self/i.test(text)) {
    if (own.includes(address)) return new DiadError('peer-self', `${shown(address)} is this node itself`, 'dial another node', options)
    return new DiadError('peer-self', `${shown(address)} names this home's own PeerId, and isn't where this node listens`,
      'a home that was copied has the node.key of the other, and the two can\'t talk: remove node.key and node.pub in one of them, and its next start makes a new pair', options)
  }
  const code = /\bE[A-Z]{4,}\b/.exec(text)?.[0] ?? (/abort|time(d )?out/i.test(text) ? 'timed out' : text.split('\n')[0] ?? 'no reason given')
  return new DiadError('peer-unreachable', `${shown(address)} does not answer (${code})`, 'check the address, and that the node runs and its port is reachable', options)
}

/** All messages and codes inside an error: libp2p nests them in `errors` and `cause`. */
function reasons (err: unknown, depth = 0): string[] {
  if (!(err instanceof Error) || depth > 4) return [String(err)]
  const { code } = err as { code?: unknown }
  const inner = err instanceof AggregateError ? err.errors as unknown[] : err.cause === undefined ? [] : [err.cause]
  return [...inner.flatMap((e) => reasons(e, depth + 1)), ...(typeof code === 'string' ? [code] : []), err.name, err.message]
}

function reason (err: unknown): string {
  return err instanceof Error ? err.message : String(err)
}

function shown (text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}

function escape (text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
