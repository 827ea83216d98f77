/**
 * `diad init` with root keys that were made on other machines: the genesis goes out as a signing request, and `init --finish` founds the domain with what
 * came back. Until then the home is a reader's.
 */
import { dirname } from 'node:path'
import { certificateCodec } from '../../authority/certificate.js'
import { manifestCodec } from '../../authority/manifest.js'
import { draftGenesis, firstManifest, judged } from '../../authority/mint.js'
import { rootSetFrom } from '../../authority/root-set.js'
import { referenceOfArtifact } from '../../substrate/artifact.js'
import { domainText } from '../../substrate/domain-id.js'
import { DiadError } from '../../substrate/errors.js'
import type { PublicKey } from '../../substrate/reference.js'
import { signArtifact } from '../../substrate/signature.js'
import { TAG } from '../../substrate/type-tags.js'
import { markAuthority } from '../authority.js'
import { refreshProjection } from '../authority-projection.js'
import type { CommandArgs, CommandIo, CommandResults } from '../command.js'
import { setOwnDomain } from '../home/home.js'
import { makeDirectory } from '../home/make-directory.js'
import { writeOfflineNote } from '../home/offline.js'
import { createKeyFile, findKeyFile, loadKey, recordedPublicKey } from '../keys/key-file.js'
import type { PassphraseSource } from '../keys/passphrase.js'
import { ALL_ROLES } from '../mint.js'
import { commitmentAdvice, freshSalt, writeNextCommitment } from '../roots/next-commitment.js'
import { demandOwnGenesis, rememberRequest } from '../roots/made-requests.js'
import { rememberRoots, rootLabel } from '../roots/root-names.js'
import { artifactsOf, genesisRequest } from '../roots/signing-request.js'
import type { Context } from './context.js'
import { demandComplete, demandFree, readRequest, rootNames, writeRequest } from './roots/root-signers.js'
import { publicKeyAt } from './roots/rotate.js'

type Args = CommandArgs['init']

/** Hot keys here, root keys elsewhere: writes the request for the genesis. */
export async function askForGenesis (context: Context, args: Args, io: CommandIo, passphrase: PassphraseSource): Promise<CommandResults['init']> {
  const { home } = context
  const { rootPubs = [], nextRootPubs = [], threshold = 1, nextThreshold = threshold, request } = args
  if (request === undefined) throw new DiadError('usage', 'root keys that are elsewhere sign by a request', 'say with --request where to write it')
  if (nextRootPubs.length === 0) throw new DiadError('usage', 'a domain commits to its next root set from the beginning (M8)', 'name their public keys with --next-root-pub')
  demandFree(request)
  const rootSet = rootSetFrom(rootPubs.map(publicKeyAt), threshold)
  const nextSet = rootSetFrom(nextRootPubs.map(publicKeyAt), nextThreshold)
  const twice = rootSet.root_keys.find((key) => nextSet.root_keys.includes(key))
  if (twice !== undefined) throw new DiadError('root-set', `the key ${twice} can't be a root and a next root: who steals it has both`, 'make another key')
  const rootKey = await hotKey(home.paths.keys, 'root_key', passphrase)
  const principal = await hotKey(home.paths.keys, 'principal', passphrase)
  const nextSalt = freshSalt()
  const drafted = draftGenesis({ rootSet, nextSet, nextSalt, rootKey, principals: [{ publicKey: principal, roles: ALL_ROLES, prefixes: [''] }] })
  const roots = args.roots ?? home.paths.offline
  makeDirectory(roots, '--roots')
  const path = writeNextCommitment(roots, { domain: drafted.domain, set: nextSet, salt: nextSalt })
  writeOfflineNote(roots, drafted.domain, args.name ?? 'home', 'commitment')
  rememberRoots(home, new Map([...rootPubs, ...nextRootPubs].map((path) => [publicKeyAt(path), rootLabel(path)])))
  const asked = genesisRequest(drafted.domain, drafted.artifacts)
  rememberRequest(home, asked, { name: args.name, file: request })
  writeRequest(request, asked)
  io.warn(commitmentAdvice(path))
  return { domain: drafted.domain, home: home.paths.root, name: args.name ?? 'home', principal, roots, request, needed: { total: rootSet.root_keys.length, threshold }, next: { total: nextSet.root_keys.length, threshold: nextThreshold } }
}

/** Keys that an earlier attempt made are used. */
async function hotKey (directory: string, name: string, passphrase: PassphraseSource): Promise<PublicKey> {
  const there = findKeyFile(directory, name)
  return there === undefined ? (await createKeyFile({ directory, name, passphrase })).publicKey : recordedPublicKey(there)
}

/** Founds the domain. The first manifest is made anew: no root signature covers the one in the file. */
export async function finishGenesis (context: Context, args: Args & { finish: string }, io: CommandIo): Promise<CommandResults['init']> {
  const { home, runtime } = context
  const request = readRequest(args.finish)
  const { domain } = request
  if (request.purpose !== 'root-entry' || request.entry.epoch !== 0) throw new DiadError('wrong-request', 'this signing request founds no domain', 'bring it into force with `diad root apply`')
  const drafted = demandOwnGenesis(home, request)
  demandComplete(request, rootNames(home.paths.root, [dirname(args.finish)]), `pass it on: \`diad sign --request ${args.finish} --key KEY --yes\``)
  const certificate = certificateCodec.from(request.artifacts.find((a) => a.typeTag === TAG.authorityCertificate) as never)
  const [keyPath, principalPath] = ['root_key', 'principal'].map((name) => findKeyFile(home.paths.keys, name))
  if (keyPath === undefined || principalPath === undefined || recordedPublicKey(keyPath) !== certificate.subject_pubkey) {
    throw new DiadError('root-key-mismatch', `the root_key ${certificate.subject_pubkey} of this request is not in ${home.paths.keys}`, 'finish where `diad init` made the request')
  }
  const { signer } = await loadKey(keyPath, io.passphrase ?? { kind: 'none' }, { expected: certificate.subject_pubkey })
  const principal = recordedPublicKey(principalPath)
  const manifest = firstManifest(domain, certificate.subject_pubkey, certificate.policy_hash, [{ publicKey: principal, roles: ALL_ROLES, prefixes: [''] }])
  const signature = await signArtifact(signer, 'manifest', manifestCodec.reference(manifest))
  // Other manifests in the file are nobody's word, and something may be in it twice.
  const artifacts = new Map([...artifactsOf(request).filter((a) => a.typeTag !== TAG.manifest), manifestCodec.artifact(manifest), signature].map((a) => [referenceOfArtifact(a), a]))
  const knowledge = judged(domain, [...artifacts.values()])
  const name = args.name ?? drafted ?? 'home'
  await runtime.found(knowledge)
  context.home = setOwnDomain(home, domain, name)
  markAuthority(runtime, knowledge)
  refreshProjection(context, knowledge)
  await runtime.wake(domain)
  return { domain, home: home.paths.root, name, principal, text: domainText(domain) } as CommandResults['init']
}
