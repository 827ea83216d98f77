/** Keys: readable by their owner alone, what their records say, known to the manifest in force, and the cold ones elsewhere (N2). */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import type { Hash, PublicKey, Reference } from '../../substrate/reference.js'
import { isRescue } from '../commands/rescue/is-rescue.js'
import type { Home } from '../home/home.js'
import { findKeysOf } from '../keys/find-keys.js'
import { findKeyFile, loadKey, recordedPublicKey } from '../keys/key-file.js'
import type { PassphraseSource } from '../keys/passphrase.js'
import { demandListed } from '../own-key.js'
import { drilledAt, isDrilled, readDrills } from '../roots/drills.js'
import { COMMITMENT_FILE, commitmentOf, readNextCommitment } from '../roots/next-commitment.js'
import { bad, type Finding, ok, trouble, warn } from './finding.js'

const KEY_FILE = /\.key(\.age)?$/

export async function checkKeys (home: Home, passphrase: PassphraseSource): Promise<Finding[]> {
  const { keys, root, nodeKeyName } = home.paths
  const paths = existsSync(keys) ? readdirSync(keys).filter((name) => KEY_FILE.test(name)).sort().map((name) => join(keys, name)) : []
  const node = safely(() => findKeyFile(root, nodeKeyName))
  const out: Finding[] = []
  for (const path of typeof node === 'string' ? [...paths, node] : paths) out.push(await checkKey(path, passphrase))
  // A rescue acts with a key that stays where it is, and has no other.
  if (home.domain !== undefined && !isRescue(home)) {
    for (const name of ['root_key', 'principal']) {
      const found = safely(() => findKeyFile(keys, name))
      if (found === undefined) out.push(warn(`there is no ${name} here`, keys, `put its file back; without it this home can't ${name === 'principal' ? 'publish' : 'change who may do what'}, unless another key is named with --key; where it is lost for good: \`diad recover ${name === 'principal' ? 'keys' : 'root-key'}\``))
      else if (typeof found !== 'string') out.push(trouble(found.err, keys))
    }
  }
  return out
}

/** Only what opens without asking anybody is opened. */
async function checkKey (path: string, passphrase: PassphraseSource): Promise<Finding> {
  try {
    const encrypted = path.endsWith('.age')
    if (encrypted && passphrase.kind !== 'file' && passphrase.kind !== 'given') {
      const publicKey = recordedPublicKey(path)
      if ((statSync(path).mode & 0o077) !== 0 && process.platform !== 'win32') return bad('others can read or change this key file', path, `chmod 600 ${path}`)
      return ok(`${basename(path)} is encrypted and was not opened; its record says ${publicKey.slice(0, 16)}…`, path)
    }
    const { publicKey } = await loadKey(path, passphrase)
    return ok(`${basename(path)} holds the key that its record names, ${publicKey.slice(0, 16)}…`, path)
  } catch (err) {
    return trouble(err, path)
  }
}

/** What the keys here are to the domain, by their records alone. */
export function checkKeyRoles (home: Home, k: DomainKnowledge): Finding[] {
  const tip = k.authority().onChain.at(-1)?.manifest
  if (tip === undefined) return []
  const out: Finding[] = []
  const record = (name: string): PublicKey | undefined => {
    const path = safely(() => findKeyFile(home.paths.keys, name))
    const key = typeof path === 'string' ? safely(() => recordedPublicKey(path)) : undefined
    return typeof key === 'string' ? key : undefined
  }
  const principal = record('principal')
  if (principal !== undefined) {
    const entry = tip.principals.find((p) => p.public_key === principal)
    out.push(entry === undefined
      ? unlisted(home, k, principal)
      : ok(`this home's principal may ${entry.roles.join(', ')} under manifest ${tip.version}`, home.paths.keys))
  }
  const rootKey = record('root_key')
  if (rootKey !== undefined && rootKey !== tip.root_key) {
    out.push(warn('the root_key here is not the one that the epoch in force certifies: it can sign no manifest', home.paths.keys, 'put the right key there; lost: `diad root renew` certifies a new one'))
  }
  return [...out, ...checkColdKeys(home, k), ...isRescue(home) ? [] : checkDrill(home, k)]
}

function unlisted (home: Home, k: DomainKnowledge, principal: PublicKey): Finding {
  try {
    demandListed(home, k, principal)
  } catch (err) {
    return { ...trouble(err, home.paths.keys, 'warn'), what: `this home can publish nothing: ${err instanceof Error ? err.message : String(err)}` }
  }
  throw new Error('the principal is listed')
}

/** N2: whoever gets this disk must not get both tiers. */
function checkColdKeys (home: Home, k: DomainKnowledge): Finding[] {
  const { keys, offline } = home.paths
  const { rootChain } = k.authority()
  const last = rootChain.entries.at(-1)
  const entry = last === undefined ? undefined : rootChain.judged.get(last.ref)
  const rootKey = safely(() => findKeyFile(keys, 'root_key'))
  if (last === undefined || typeof rootKey !== 'string') return []
  const disk = statSync(rootKey).dev
  const folders = [offline, keys].filter((folder) => existsSync(folder))
  const beside = (wanted: readonly PublicKey[]): string[] => {
    const found = safely(() => [...findKeysOf(folders, wanted).values()])
    return Array.isArray(found) ? found.filter((path) => statSync(path).dev === disk) : []
  }
  const live = entry?.rootSet?.root_keys ?? []
  const next = nextKeys(home, folders, k.domain, last.entry.next_commitment)
  // All that were ever in force, of the chain that is.
  const old = [...entry?.rootKeys ?? []].filter((key) => !live.includes(key) && !next.includes(key))
  const [lives, nexts, olds] = [beside(live), beside(next), beside(old)]
  const out: Finding[] = []
  const todo = 'move the directory of the offline keys to a stick, and keep two copies'
  if (lives.length > 0) out.push(warn(`a live root key lies${nexts.length > 0 ? ', with next ones,' : ''} on the same disk as root_key: a thief of this disk takes the whole domain (N2)`, [...lives, ...nexts].join(', '), todo))
  else if (nexts.length > 0) out.push(warn(`${nexts.length === 1 ? 'a next root key lies' : 'next root keys lie'} on the same disk as root_key: a thief of this disk can replace the live roots, with which you would take the domain back (N2)`, nexts.join(', '), `${todo}, apart from the live roots`))
  if (olds.length > 0) out.push(warn(`${olds.length === 1 ? 'an old root key lies' : 'old root keys lie'} here, no longer in force: a rotation took over, and nothing that ${olds.length === 1 ? 'it signs' : 'they sign'} wins against that (M6)`, olds.join(', '), 'nothing needs it: remove it, or move it away'))
  return out.length > 0 ? out : [ok('no root key, live or next, was found on the disk of root_key (N2)', keys)]
}

/** The next root set, as a next-commitment.json here or a drill tells it; what opens another commitment says nothing of this one. */
function nextKeys (home: Home, folders: readonly string[], domain: Reference, commitment: Hash): PublicKey[] {
  const keys = new Set<PublicKey>()
  for (const path of folders.map((folder) => join(folder, COMMITMENT_FILE)).filter((p) => existsSync(p))) {
    const next = safely(() => readNextCommitment(path))
    if ('set' in next && next.domain === domain && commitmentOf(next) === commitment) for (const key of next.set.root_keys) keys.add(key)
  }
  const drills = safely(() => readDrills(home))
  if (drills instanceof Map) for (const key of drills.get(commitment)?.signed.keys() ?? []) keys.add(key)
  return [...keys]
}

/** N2, M8: next roots that nobody tried may be gone when they are needed. */
function checkDrill (home: Home, k: DomainKnowledge): Finding[] {
  const entry = k.authority().rootChain.entries.at(-1)
  if (entry === undefined) return []
  try {
    const drill = readDrills(home).get(entry.entry.next_commitment)
    // Before the question that tells apart only whether it is enough.
    const tried = drill === undefined ? 'the next root keys were never tried: without them lost or stolen roots can\'t be replaced (N2)' : `only ${drill.signed.size} of ${drill.threshold} next root keys were tried (N2)`
    if (isDrilled(drill)) return [ok(`enough next root keys have shown that they still sign, the oldest of them ${drilledAt(drill) ?? ''}`, home.paths.root)]
    return [warn(tried, home.paths.root, '`diad root drill` with the sticks that hold them')]
  } catch (err) {
    return [trouble(err, home.paths.root, 'warn')]
  }
}

/** The value, or what was thrown. */
function safely<T> (work: () => T): T | { readonly err: unknown } {
  try {
    return work()
  } catch (err) {
    return { err }
  }
}
