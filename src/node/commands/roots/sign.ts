/** `diad sign`: one signature more in a request. Opens no home: it runs on a machine that has nothing but a key. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DiadError } from '../../../substrate/errors.js'
import type { PublicKey } from '../../../substrate/reference.js'
import type { CommandIo } from '../../command.js'
import { parseKeySpec } from '../../keys/key-spec.js'
import { openSigner } from '../../keys/open-signer.js'
import { publicKeyIn } from '../../home/principal-names.js'
import { COMMITMENT_FILE, commitmentOf, readNextCommitment } from '../../roots/next-commitment.js'
import type { RootNames } from '../../roots/root-names.js'
import { demandFirst, memoryPlaces, otherSigned, rememberSigned } from '../../roots/signed-entries.js'
import { isComplete, outstanding, signRequest, type SigningRequest } from '../../roots/signing-request.js'
import { namesIn, readRequest, rootNames, writeRequest } from './root-signers.js'
import type { NextSetFacts, RootsArgs, RootsResults } from './types.js'

type Result = RootsResults['sign']

/** What this command takes of a home, where there is one: the names of keys. */
interface Known { readonly home: { readonly paths: { readonly root: string } } }

/** Without `yes` it only shows what would be signed. */
export async function sign (known: Known | undefined, args: RootsArgs['sign'], io: CommandIo): Promise<Result> {
  const request = readRequest(args.request)
  const keys = args.key === undefined ? [] : [args.key]
  const places = [args.request, ...keys.filter((spec) => parseKeySpec(spec).kind === 'file')].map((path) => dirname(path))
  const names = rootNames(known?.home.paths.root, places)
  const more = { file: args.request, names, next: nextSetOf(request, places) }
  const memory = args.key === undefined ? [] : memoryPlaces(args.key, known?.home.paths.root)
  if (!args.yes) {
    const key = keyOf(request, args.key)
    const other = key?.may === 'sign' ? otherSigned(memory, key.publicKey as PublicKey, request, io.warn) : undefined
    if (other !== undefined) io.warn(other)
    return resultOf(request, { ...more, wrote: false, key })
  }
  if (args.key === undefined) throw new DiadError('usage', 'no key to sign with', 'name it with --key')
  const signer = await openSigner(args.key, io.passphrase ?? { kind: 'none' }, { signal: io.signal })
  try {
    demandFirst(memory, signer.publicKey, request, args.again === true, io.warn)
    const signed = await signRequest(request, signer)
    rememberSigned(memory, signer.publicKey, request, new Date(), io.warn)
    writeRequest(args.request, signed, true)
    return resultOf(signed, { ...more, wrote: true, key: null })
  } finally {
    signer.close()
  }
}

/** By its record: no passphrase is asked for a look. */
function keyOf ({ rootSet, signatures }: SigningRequest, spec: string | undefined): Result['key'] {
  const key = spec === undefined ? undefined : recordOf(spec)
  return key === undefined ? null : { publicKey: key, may: rootSet.root_keys.includes(key) ? 'sign' : 'nothing', signed: signatures.some((s) => s.public_key === key) }
}

function recordOf (spec: string): PublicKey | undefined {
  const named = parseKeySpec(spec)
  if (named.kind !== 'file') return undefined
  return publicKeyIn(named.path.replace(/\.key(\.age)?$/, '') + '.pub')
}

/** Nothing is believed: what lies there counts only where it opens the very commitment that is to be signed. */
function nextSetOf (request: SigningRequest, places: readonly string[]): NextSetFacts | null {
  if (request.purpose !== 'root-entry') return null
  const { domain, entry } = request
  for (const path of places.map((place) => join(place, COMMITMENT_FILE)).filter((p) => existsSync(p))) {
    try {
      const next = readNextCommitment(path)
      if (next.domain === domain && commitmentOf(next) === entry.next_commitment) return { total: next.set.root_keys.length, threshold: next.set.threshold }
    } catch (err) {
      // A damaged one is told where it is needed; here it only says nothing.
      if (!(err instanceof DiadError)) throw err
    }
  }
  return null
}

function resultOf (r: SigningRequest, { names, ...more }: Pick<Result, 'wrote' | 'file' | 'key' | 'next'> & { readonly names: RootNames }): Result {
  return {
    domain: r.domain,
    purpose: r.purpose,
    entry: r.ref,
    summary: [...r.summary],
    signed: r.signatures.map((s) => s.public_key),
    outstanding: outstanding(r),
    names: namesIn(r, names),
    threshold: r.rootSet.threshold,
    complete: isComplete(r),
    ...more
  }
}
