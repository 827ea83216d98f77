/**
 * The domain root as people and other tools read it: `domain.id domain.pubkey authorities/NAME.pub policies/publish.policy attestations/`. A
 * projection: written from the artifacts after each change of authority and never read back, so editing it changes nothing.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { domainText } from '../../substrate/domain-id.js'
import { DiadError } from '../../substrate/errors.js'
import type { PublicKey, Reference } from '../../substrate/reference.js'
import type { Home } from './home.js'

export interface Projection {
  readonly domain: Reference
  /** The key that signs manifests in the present epoch. */
  readonly rootKey: PublicKey
  /** `root` and the principals, by the names that their owner gave them. */
  readonly authorities: ReadonlyMap<string, PublicKey>
  /** The policy as text. */
  readonly policy: string
  /** File name → content. */
  readonly attestations: ReadonlyMap<string, string | Uint8Array>
}

const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** Replaces `HOME/domain` as a whole. Throws DiadError `malformed` for a name that can't be a file name. */
export function writeProjection (home: Home, projection: Projection): void {
  const target = home.paths.domain
  sweep(home)
  const mark = randomBytes(6).toString('hex')
  const fresh = `${target}.${mark}.tmp`
  const old = `${target}.${mark}.old`
  try {
    fill(fresh, projection)
    // A directory can't be renamed over another, so for an instant there is none. What is cut off here is made anew by the next change.
    if (existsSync(target)) renameSync(target, old)
    renameSync(fresh, target)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
    rmSync(old, { recursive: true, force: true })
  }
}

function fill (directory: string, p: Projection): void {
  for (const path of ['', 'authorities', 'policies', 'attestations']) mkdirSync(join(directory, path), { mode: 0o755 })
  writeFileSync(join(directory, 'domain.id'), domainText(p.domain) + '\n')
  writeFileSync(join(directory, 'domain.pubkey'), p.rootKey + '\n')
  for (const [name, key] of p.authorities) writeFileSync(join(directory, 'authorities', fileName(`${name}.pub`)), key + '\n')
  writeFileSync(join(directory, 'policies', 'publish.policy'), p.policy)
  for (const [name, content] of p.attestations) writeFileSync(join(directory, 'attestations', fileName(name)), content)
}

function fileName (name: string): string {
  if (!FILE_NAME.test(name)) throw new DiadError('malformed', `${JSON.stringify(name)} can't be a file name in the domain root`, 'use letters, digits, dot, dash and underscore')
  return name
}

/** What a process left behind that was killed while it replaced the projection. */
function sweep (home: Home): void {
  const prefix = basename(home.paths.domain)
  for (const name of readdirSync(home.paths.root)) {
    if (name.startsWith(prefix) && /^\.[0-9a-f]{12}\.(tmp|old)$/.test(name.slice(prefix.length))) rmSync(join(home.paths.root, name), { recursive: true, force: true })
  }
}
