/**
 * Keys in an ssh-agent: it signs, and the key never comes here. A small client of its protocol (draft-ietf-sshm-ssh-agent): one connection for each
 * question. Its signature over raw bytes is plain Ed25519 (RFC 8709), so it stands in an artifact like any other.
 *
 * The agent is a program that somebody else wrote and perhaps a socket that somebody else forwarded: replies are bounded, parsed strictly and
 * must come in time, and a signature that the key didn't make is refused.
 */
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { concatBytes, toHex } from '../../substrate/bytes.js'
import { DiadError } from '../../substrate/errors.js'
import type { PublicKey } from '../../substrate/reference.js'
import type { Signer } from '../../substrate/signature.js'
import { errorCode } from '../home/atomic-file.js'
import { verifiedSigner } from './signer.js'
import { KEY_BYTES, SIGNATURE_BYTES, SSH_ED25519, SshReader, sshString, sshU32 } from './ssh-wire.js'

/** bytes of a reply; OpenSSH's agent has the same bound */
const MAX_REPLY = 256 * 1024
/** keys in a list; an SSH server lets nobody try that many */
const MAX_KEYS = 1024
/** A list is there at once. */
const LIST_MS = 10_000
/** A signature may wait for a person: `ssh-add -c` asks, a security key wants to be touched. */
const SIGN_MS = 120_000
/** bytes of a socket's path without the zero at its end */
const MAX_PATH = process.platform === 'linux' ? 107 : 103
/** characters of a comment that are shown */
const SHOWN = 60

const REQUEST = { list: 11, sign: 13 } as const
const REPLY = { failure: 5, list: 12, signature: 14 } as const

export interface Agent {
  /** path of its Unix socket */
  readonly socket: string
  /** milliseconds, {@link LIST_MS} and {@link SIGN_MS} if not given */
  readonly listMs?: number
  readonly signMs?: number
  readonly signal?: AbortSignal
}

export interface AgentKey {
  readonly publicKey: PublicKey
  /** whatever whoever added it wrote; not to be trusted */
  readonly comment: string
  /** SHA256:…, as `ssh-add -l` prints it */
  readonly fingerprint: string
  /** the key as the agent names it */
  readonly blob: Uint8Array
}

export interface AgentList {
  /** Ed25519 keys, each once */
  readonly keys: AgentKey[]
  /** what there is besides: other types, certificates, keys in hardware that sign something else than the bytes */
  readonly others: number
}

/** What the agent holds. Throws DiadError `agent-unreachable`, `agent-timeout`, `agent-refused`, `agent-faulty`, `interrupted`. */
export async function listAgent (agent: Agent): Promise<AgentList> {
  const r = await ask(agent, [new Uint8Array([REQUEST.list])], REPLY.list, agent.listMs ?? LIST_MS)
  const fault = faulty(agent)
  const count = r.u32()
  if (count > MAX_KEYS) throw fault(`it lists ${count} keys, at most ${MAX_KEYS} are read`)
  const keys = new Map<PublicKey, AgentKey>()
  let others = 0
  for (let i = 0; i < count; i++) {
    const blob = r.string()
    const comment = Buffer.from(r.string()).toString('utf8')
    const key = new SshReader(blob, fault)
    // Exactly this type: certificates (ssh-ed25519-cert-v01@…) and FIDO keys (sk-…) have names of their own.
    if (key.name() !== SSH_ED25519) {
      others++
      continue
    }
    const publicKey = toHex(key.exactly(KEY_BYTES, 'an Ed25519 key')) as PublicKey
    key.end()
    if (!keys.has(publicKey)) keys.set(publicKey, { publicKey, comment, fingerprint: fingerprintOf(blob), blob })
  }
  r.end()
  return { keys: [...keys.values()], others }
}

/**
 * The key that `which` means: a fingerprint, a comment or the public key in hex. Empty: the expected key, or the only one that there is. Throws
 * DiadError `key-missing`, `key-ambiguous`.
 */
export function pickAgentKey (agent: Agent, { keys, others }: AgentList, which: string, expected?: PublicKey): AgentKey {
  const found = keys.filter((k) => which === ''
    ? expected === undefined || k.publicKey === expected
    : k.fingerprint === which || k.comment === which || k.publicKey === which.toLowerCase())
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  if (found.length > 1) {
    throw new DiadError('key-ambiguous', `the ssh-agent has ${found.length} Ed25519 keys${which === '' ? '' : ` with the comment "${shown(which)}"`}`,
      `name one: --key agent:FINGERPRINT, e.g. ${found.slice(0, 3).map((k) => `agent:${k.fingerprint} (${shown(k.comment)})`).join(', ')}`)
  }
  const wanted = which !== '' ? `no Ed25519 key "${shown(which)}"` : expected === undefined ? 'no Ed25519 key' : `not the key ${expected}`
  const besides = others === 0 ? '' : `; ${others} of other types or with certificates can't be used`
  throw new DiadError('key-missing', `the ssh-agent at ${agent.socket} has ${wanted} (${keys.length} Ed25519 key${keys.length === 1 ? '' : 's'}${besides})`,
    'see `ssh-add -l`, add it with `ssh-add FILE`; a locked agent shows none (`ssh-add -X`)')
}

/** Signs with a key of the agent. `sign` throws what {@link listAgent} does, and `signer-lied`. */
export function agentSigner (agent: Agent, key: AgentKey): Signer {
  return verifiedSigner(key.publicKey, 'the ssh-agent', async (message) => {
    const r = await ask(agent, [new Uint8Array([REQUEST.sign]), sshString(key.blob), sshString(message), sshU32(0)], REPLY.signature, agent.signMs ?? SIGN_MS)
    const signature = new SshReader(r.string(), faulty(agent))
    r.end()
    const algorithm = signature.name()
    if (algorithm !== SSH_ED25519) throw faulty(agent)(`it signed by "${shown(algorithm)}"`)
    const bytes = signature.exactly(SIGNATURE_BYTES, 'the signature')
    signature.end()
    return bytes
  })
}

function fingerprintOf (blob: Uint8Array): string {
  return 'SHA256:' + createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')
}

const shown = (text: string): string => text.length > SHOWN ? text.slice(0, SHOWN) + '…' : text

const faulty = (agent: Agent) => (why: string): DiadError =>
  new DiadError('agent-faulty', `the ssh-agent at ${agent.socket} doesn't keep to its protocol: ${why}`, 'is SSH_AUTH_SOCK the socket of an ssh-agent?')

/** One question, and the body of its answer, which must be of type `reply`. */
async function ask (agent: Agent, parts: readonly Uint8Array[], reply: number, limitMs: number): Promise<SshReader> {
  const answer = await exchange(agent, sshString(concatBytes(...parts)), limitMs)
  const type = answer[0]
  if (type === REPLY.failure) {
    throw new DiadError('agent-refused', `the ssh-agent at ${agent.socket} refused`, 'a locked agent (`ssh-add -X`), a key that was removed or has expired, or a person who said no')
  }
  if (type !== reply) throw faulty(agent)(`it answered with type ${type ?? 'none'} instead of ${reply}`)
  return new SshReader(answer.subarray(1), faulty(agent))
}

/** One connection: `request` goes out, the first frame comes back. The limit is for all of it: an agent that sends a byte now and then is late too. */
async function exchange (agent: Agent, request: Uint8Array, limitMs: number): Promise<Uint8Array> {
  agent.signal?.throwIfAborted()
  // Node.js 20 cuts a longer path off without a word, and somebody else may listen at the rest.
  if (Buffer.byteLength(agent.socket) > MAX_PATH) throw unreachable(agent, 'its path is too long for a socket')
  return await new Promise<Uint8Array>((resolve, reject) => {
    const socket = connect(agent.socket)
    const parts: Uint8Array[] = []
    let bytes = 0
    let length: number | undefined
    const finish = (result: Uint8Array | Error): void => {
      clearTimeout(timer)
      agent.signal?.removeEventListener('abort', stop)
      socket.destroy()
      if (result instanceof Error) reject(result)
      else resolve(result)
    }
    const stop = (): void => finish(agent.signal?.reason instanceof Error ? agent.signal.reason : new DiadError('interrupted', 'interrupted'))
    const timer = setTimeout(() => finish(new DiadError('agent-timeout', `the ssh-agent at ${agent.socket} didn't answer within ${limitMs / 1000} s`,
      'does it wait for somebody to confirm or to touch a key?')), limitMs)
    agent.signal?.addEventListener('abort', stop, { once: true })
    socket.on('error', (err) => finish(unreachable(agent, errorCode(err), err)))
    socket.on('close', () => finish(unreachable(agent, 'it closed the connection without an answer')))
    socket.on('connect', () => socket.write(request))
    socket.on('data', (chunk) => {
      parts.push(chunk)
      bytes += chunk.length
      if (bytes < 4) return
      if (length === undefined) {
        const head = Buffer.concat(parts)
        parts.splice(0, parts.length, head)
        length = head.readUInt32BE(0)
        if (length === 0 || length > MAX_REPLY) {
          finish(faulty(agent)(`a reply of ${length} bytes, at most ${MAX_REPLY} are read`))
          return
        }
      }
      if (bytes > 4 + length) finish(faulty(agent)('there are bytes behind its reply'))
      else if (bytes === 4 + length) finish(new Uint8Array(Buffer.concat(parts).subarray(4)))
    })
  })
}

function unreachable (agent: Agent, why: string, cause?: unknown): DiadError {
  return new DiadError('agent-unreachable', `no ssh-agent answers at ${agent.socket} (${why})`, 'start one (`eval $(ssh-agent)`) and add the key (`ssh-add FILE`)', { cause })
}
