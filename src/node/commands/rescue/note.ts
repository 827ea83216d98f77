/** `rescue.json`: what marks a home as one that `rescue start` made, and names the key that it acts with. Only such a home is ever wiped. */
import { readFileSync, realpathSync } from 'node:fs'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { rightsOf } from '../../../federation/append.js'
import { principalId } from '../../../publication/evidence.js'
import { DiadError } from '../../../substrate/errors.js'
import { isReference, type PublicKey, type Reference } from '../../../substrate/reference.js'
import { createFile } from '../../home/atomic-file.js'
import { fieldsIn, textIn } from '../../home/json-fields.js'
import { isThere } from '../../home/make-directory.js'
import { rescueNotePath } from './is-rescue.js'
import { droppedKey } from '../../own-key.js'
import type { RescueKey } from './types.js'

const FORMAT = { format: 'diad-rescue', version: 1 }

export interface RescueNote {
  readonly domain: Reference
  /** as `openSigner` takes it */
  readonly key: string
  readonly publicKey: PublicKey
  /** where that home was made, as its real path: a copy of the note makes no other directory one that may be wiped */
  readonly home: string
}

export function writeNote (root: string, { domain, key, publicKey }: Omit<RescueNote, 'home'>): void {
  createFile(rescueNotePath(root), textIn(FORMAT, { domain, key, public_key: publicKey, home: realpathSync(root) }))
}

/** Throws DiadError `not-a-rescue`. */
export function readNote (root: string): RescueNote {
  const path = rescueNotePath(root)
  if (!isThere(path)) throw new DiadError('not-a-rescue', `${root} is not a rescue home`, 'give the home that `rescue start` made: --home DIR, or DIAD_HOME')
  let fields: Map<string, unknown>
  try {
    fields = fieldsIn(FORMAT, readFileSync(path, 'utf8'))
  } catch (err) {
    throw damaged(path, err)
  }
  const [domain, key, publicKey, home] = ['domain', 'key', 'public_key', 'home'].map((name) => fields.get(name))
  if (typeof domain !== 'string' || !isReference(domain) || typeof key !== 'string' || typeof publicKey !== 'string' || typeof home !== 'string') throw damaged(path)
  return { domain, key, publicKey: publicKey as PublicKey, home }
}

function damaged (path: string, cause?: unknown): DiadError {
  return new DiadError('home-damaged', `${path} is damaged`, 'export what is there with `diad bundle export DOMAIN FILE --all` and remove the directory by hand', { cause })
}

/** The domain is here as a bundle or a peer had it, which is often enough older than the grant. */
function rightsHere (k: DomainKnowledge, key: PublicKey): ReturnType<typeof rightsOf> {
  try {
    return rightsOf(k, key)
  } catch (err) {
    if (!(err instanceof DiadError) || err.code !== 'role-missing' || droppedKey(k, key) !== undefined) throw err
    throw new DiadError(err.code, `${err.message}, and that is the newest one here`, 'if the key has a role: take a newer bundle, or --peer ADDRESS; else the owner has to grant it one first', { cause: err })
  }
}

/** What the key may do now. Throws DiadError `no-manifest`, and `role-missing` where the newest manifest doesn't name it. */
export function keyFacts (k: DomainKnowledge, { key, publicKey }: Pick<RescueNote, 'key' | 'publicKey'>): RescueKey {
  const { rights: { principal, scope } } = rightsHere(k, publicKey)
  const { roles } = principal
  return {
    key,
    publicKey,
    principal: principalId(publicKey),
    manifest: k.authority().onChain.at(-1)?.manifest.version ?? 0,
    roles: [...roles],
    prefixes: [...scope.prefixes],
    programs: [...scope.programs],
    exports: roles.includes('federate')
  }
}
