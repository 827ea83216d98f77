/**
 * `diad root drill`: proves that the next root keys still sign, and that salt and set open the commitment in force (M8). Nothing is published. Keys may be
 * tried one stick at a time: what signed before is told with its date, and counts for a while.
 */
import { randomBytes } from 'node:crypto'
import { rootSetCodec } from '../../../authority/root-set.js'
import { referenceOf } from '../../../substrate/artifact.js'
import { concatBytes, utf8 } from '../../../substrate/bytes.js'
import { DiadError } from '../../../substrate/errors.js'
import { type PublicKey, type Reference, referenceBytes } from '../../../substrate/reference.js'
import { signArtifact, signatureCodec, signatureHolds } from '../../../substrate/signature.js'
import type { CommandIo } from '../../command.js'
import { openSigner } from '../../keys/open-signer.js'
import { drilledOfLate, readDrills, rememberDrill } from '../../roots/drills.js'
import { findKeysOf } from '../../keys/find-keys.js'
import { commitmentOf } from '../../roots/next-commitment.js'
import { rememberRoots } from '../../roots/root-names.js'
import type { Context } from '../context.js'
import { rootsDomain } from './new-epoch.js'
import { rootDirectories, rootNames } from './root-signers.js'
import { committed } from './rotate.js'
import type { RootsArgs, RootsResults } from './types.js'

export async function rootDrill (context: Context, args: RootsArgs['root drill'], io: CommandIo): Promise<RootsResults['root drill']> {
  const k = await rootsDomain(context, args.domain)
  const where = { ...args, offline: false, peers: [] }
  const directories = rootDirectories(context, where)
  const next = committed(context, k, where)
  const { root_keys: keys, threshold } = next.set
  const specs: Array<[string, PublicKey | undefined]> = [...[...findKeysOf(directories, keys)].map(([key, path]): [string, PublicKey] => [path, key]), ...args.keys.map((spec): [string, undefined] => [spec, undefined])]
  if (specs.length === 0) throw new DiadError('key-missing', 'none of the next root keys was found', 'name the directory that holds one with --roots, or the key with --key')
  const signed = new Set<PublicKey>()
  for (const [spec, expected] of specs) {
    const signer = await openSigner(spec, io.passphrase ?? { kind: 'none' }, { signal: io.signal, ...(expected === undefined ? {} : { expected }) })
    try {
      if (!keys.includes(signer.publicKey)) throw new DiadError('not-a-signer', `the key ${signer.publicKey} is none of the next root keys`, 'name another --key')
      const signature = signatureCodec.from(await signArtifact(signer, 'drill', challenge(rootSetCodec.reference(next.set))))
      if (!signatureHolds(signature)) throw new DiadError('bad-signature', `what the key ${signer.publicKey} signed doesn't verify`, 'this key can\'t be counted on: rotate while the others work')
      signed.add(signer.publicKey)
    } finally {
      signer.close()
    }
  }
  const now = new Date()
  const before = readDrills(context.home).get(commitmentOf(next))?.signed ?? new Map<PublicKey, string>()
  const drill = rememberDrill(context.home, commitmentOf(next), next.set, [...signed], now)
  const done = drilledOfLate(drill, now) >= threshold
  const names = rootNames(context.home.paths.root, directories, args.keys)
  rememberRoots(context.home, new Map([...names].filter(([key]) => keys.includes(key))), keys)
  return {
    domain: k.domain,
    commitment: drill.commitment,
    signed: [...signed].sort(),
    earlier: [...before].filter(([key]) => !signed.has(key)).map(([key, at]) => ({ key, at })).sort((a, b) => a.key < b.key ? -1 : 1),
    missing: keys.filter((key) => !drill.signed.has(key)),
    names: Object.fromEntries(keys.flatMap((key) => names.get(key) === undefined ? [] : [[key, names.get(key) as string]])),
    total: keys.length,
    threshold,
    done,
    status: done ? 'accepted' : 'deferred'
  }
}

/** Fresh each time: an old answer proves nothing about a key today. */
function challenge (set: Reference): Reference {
  return referenceOf(undefined, concatBytes(utf8('diad/root-drill/1'), randomBytes(32), referenceBytes(set)))
}
