/** What a person does at a node: publish, take back, store. The production path from content to signed head. */
import { appendRecord, checkMayAppend } from '../../src/federation/append.js'
import type { UnsaltedBody } from '../../src/publication/leaf.js'
import type { Engine } from '../../src/federation/engine.js'
import { publishContent } from '../../src/federation/publish.js'
import { FileBuilder } from '../../src/publication/file-builder.js'
import { DiadError } from '../../src/substrate/errors.js'
import { LIMITS } from '../../src/substrate/limits.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import type { Signer } from '../../src/substrate/signature.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { SimDomain } from './domains.js'
import type { SimNode } from './node.js'
import type { World } from './world.js'

const MODE = 0o644
/** one publication of a node at a time, as the node's own front end has it */
const queues = new WeakMap<SimNode, Promise<unknown>>()

export interface Desk {
  readonly engine: Engine
  readonly domain: SimDomain
  readonly signer: Signer
  readonly k: DomainKnowledge
}

/** Where `node` works on its own domain with one of its keys. Throws DiadError `node-down`, `role-missing`. */
export async function deskOf (world: World, node: SimNode, key?: string): Promise<Desk> {
  const { engine, machine, spec } = node
  if (engine === undefined) throw new DiadError('node-down', `${node.name} is down`)
  const names = key === undefined ? [...machine.keys.keys()] : machine.keys.has(key) ? [key] : []
  if (spec.domain === '' || names.length === 0) throw new DiadError('role-missing', `${node.name} holds no ${key === undefined ? 'key' : `key "${key}"`}: it is a reader`)
  const domain = world.domain(spec.domain)
  const k = await engine.wake(domain.id)
  // Who holds a principal's key has the next one too, and uses the newest that is in force as far as it has heard.
  const signers = names.flatMap((name) => domain.keys.of(name))
  const listed = new Set(k.authority().onChain.at(-1)?.manifest.principals.map((p) => p.public_key))
  const signer = signers.find((s) => listed.has(s.publicKey)) ?? signers[0]
  if (signer === undefined) throw new DiadError('role-missing', `${domain.name} has no principal called ${names.join(' or ')}`)
  return { engine, domain, signer, k }
}

export function inTurn<T> (node: SimNode, work: () => Promise<T>): Promise<T> {
  const mine = (queues.get(node) ?? Promise.resolve()).then(work, work)
  queues.set(node, mine.catch(() => undefined))
  return mine
}

/** Puts content into the store; returns its Reference. */
export async function store (engine: Engine, content: Uint8Array, onBlock: (ref: Reference) => void = () => undefined): Promise<Reference> {
  const put = async (tag: number | undefined, payload: Uint8Array): Promise<Reference> => {
    const ref = await engine.ports.blocks.put(tag, payload)
    onBlock(ref)
    return ref
  }
  const file = new FileBuilder(put)
  for (let at = 0; at < content.length; at += LIMITS.chunkBytes) {
    const chunk = content.subarray(at, at + LIMITS.chunkBytes)
    await file.add(await put(undefined, chunk), chunk.length)
  }
  return (await file.finish()).ref
}

/** Publishes `content` under `name`. The oracle knows of the intent before, and of the acknowledgement after. */
export async function publish (world: World, node: SimNode, name: string, content: Uint8Array, key?: string): Promise<void> {
  await inTurn(node, async () => {
    const { engine, domain, signer, k } = await deskOf(world, node, key)
    const { head } = await publishContent(engine, k, signer, name, async (onBlock) => {
      const ref = await store(engine, content, onBlock)
      world.oracle.intend(domain.id, name, ref)
      return { ref, mode: MODE }
    })
    if (node.engine === engine) world.acknowledged(node, domain, name, head)
  })
}

/** Appends any other record. */
export async function append (world: World, node: SimNode, body: UnsaltedBody, key?: string): Promise<void> {
  await inTurn(node, async () => {
    const { engine, domain, signer, k } = await deskOf(world, node, key)
    checkMayAppend(k, signer.publicKey, body)
    if (body.kind === 'tombstone') world.oracle.intend(domain.id, body.name, NONE)
    const head = await appendRecord(engine, k, signer, body)
    if (node.engine === engine) world.acknowledged(node, domain, 'name' in body ? body.name : body.kind, head)
  })
}
