/** `diad bundle heads`: what is held of a domain, for a bundle that brings only the rest. */
import { readFileSync, statSync } from 'node:fs'
import { headsOf, type HeldHeads } from '../../../federation/bundle.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'
import { type Hash, isReference, type Reference } from '../../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { inputFailure, writeFailure } from '../../files/failure.js'
import { replaceFile } from '../../home/atomic-file.js'
import { type Context, domainOf, heldDomain } from '../context.js'
import { bytesOf } from './file.js'
import { demandPlace } from './target.js'
import type { BundleHeads } from './types.js'

/** Bytes of a heads file that is read: 50,000 lanes. */
const MAX_BYTES = 16 * 1024 * 1024

export async function bundleHeads (context: Context, args: CommandArgs['bundle heads'], io: CommandIo): Promise<CommandResults['bundle heads']> {
  const domain = domainOf(context, args.domain)
  const k = await heldDomain(context, domain)
  const { lanes, whole } = headsOf(context.runtime, k)
  const heads: BundleHeads = { format: 'diad-heads', version: 1, domain, whole, lanes: [...lanes].map(([lane, at]) => ({ lane, ...at })) }
  const text = JSON.stringify(heads, null, 2) + '\n'
  if (args.file === '-') {
    await io.write(new TextEncoder().encode(text))
    return undefined
  }
  demandPlace(args.file, 'file of heads', (path) => isHeadsOf(path, domain))
  try {
    replaceFile(args.file, text, 0o644)
  } catch (err) {
    throw writeFailure(err, args.file)
  }
  return heads
}

function isHeadsOf (path: string, domain: Reference): boolean {
  try {
    readHeads(path, domain)
    return true
  } catch (err) {
    if (err instanceof DiadError) return false
    throw err
  }
}

/** As {@link readHeads}, of standard input for `-`. Throws DiadError `no-input`. */
export async function headsFrom (path: string, domain: Reference, io: CommandIo): Promise<HeldHeads> {
  if (path !== '-') return readHeads(path, domain)
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of bytesOf('-', io)) {
    bytes += piece.length
    if (bytes > MAX_BYTES) break
    pieces.push(piece.slice())
  }
  return parseHeads('standard input', domain, () => {
    if (bytes > MAX_BYTES) throw new MalformedError(`it is larger than ${MAX_BYTES} bytes`)
    return Buffer.concat(pieces).toString('utf8')
  })
}

/** Throws DiadError `not-heads` for a file that holds something else, or another domain's heads. */
export function readHeads (path: string, domain: Reference): HeldHeads {
  return parseHeads(path, domain, () => {
    try {
      if (statSync(path).size > MAX_BYTES) throw new MalformedError(`it is larger than ${MAX_BYTES} bytes`)
      return readFileSync(path, 'utf8')
    } catch (err) {
      throw err instanceof MalformedError ? err : inputFailure(err, path)
    }
  })
}

function parseHeads (path: string, domain: Reference, read: () => string): HeldHeads {
  const wrong = (why: string, cause?: unknown): DiadError => new DiadError('not-heads', `${path} is not a file of heads: ${why}`, 'the receiver makes one with `diad bundle heads DOMAIN FILE`', { cause })
  let value: unknown
  try {
    value = JSON.parse(read())
  } catch (err) {
    if (err instanceof SyntaxError || err instanceof MalformedError) throw wrong(err.message, err)
    throw err
  }
  if (typeof value !== 'object' || value === null) throw wrong('not an object')
  const fields = value as Partial<Record<keyof BundleHeads, unknown>>
  if (fields.format !== 'diad-heads' || fields.version !== 1) throw wrong('it doesn\'t say format diad-heads, version 1')
  if (fields.domain !== domain) throw wrong('it is about another domain')
  if (!Array.isArray(fields.lanes)) throw wrong('it has no list of lanes')
  const lanes = new Map<Reference, { size: number, root: Hash }>()
  for (const one of fields.lanes as unknown[]) {
    const { lane, size, root } = (typeof one === 'object' && one !== null ? one : {}) as Record<string, unknown>
    const fine = typeof lane === 'string' && isReference(lane) && typeof size === 'number' && Number.isSafeInteger(size) && size > 0 && typeof root === 'string' && /^[0-9a-f]{64}$/.test(root)
    if (!fine) throw wrong('one of its lanes has no lane, size and root')
    lanes.set(lane, { size, root: root as Hash })
  }
  return { lanes, whole: fields.whole === true }
}
