/**
 * The alarm about manifests that another machine signed, kept in the home: the marker that it rests on is void after a reboot (L4), and a thief has time.
 * Local, never published. Written when the alarm is raised, removed when this machine signs the next manifest. A memory aid: it refuses nothing.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isReference, type Reference } from '../../substrate/reference.js'
import { replaceFile } from './atomic-file.js'
import type { Home } from './home.js'
import { fieldsIn, textIn } from './json-fields.js'

const FORMAT = { format: 'diad-last-signed', version: 1 }

/** The newest manifest that this machine signed, and when it became known that there are newer ones: ISO 8601, UTC, for people only. */
export interface LastSigned { readonly domain: Reference, readonly manifest: Reference, readonly version: number, readonly noticed: string }

const fileOf = (home: Home): string => join(home.paths.root, 'last-signed.json')

/** What is noted of `domain`; undefined where nothing is, or nothing that can be read. */
export function readLastSigned (home: Home, domain: Reference): LastSigned | undefined {
  try {
    const fields = fieldsIn(FORMAT, readFileSync(fileOf(home), 'utf8'))
    const [manifest, version, noticed] = ['manifest', 'number', 'noticed'].map((name) => fields.get(name))
    if (fields.get('domain') !== domain) return undefined
    if (typeof manifest !== 'string' || !isReference(manifest) || typeof version !== 'number' || !Number.isSafeInteger(version) || typeof noticed !== 'string') return undefined
    return { domain, manifest, version, noticed: noticed.slice(0, 40) }
  } catch {
    return undefined
  }
}

/** A home that can't be written to still gives the alarm, only not after a reboot. */
export function noteLastSigned (home: Home, { domain, manifest, version }: Omit<LastSigned, 'noticed'>): void {
  try {
    replaceFile(fileOf(home), textIn(FORMAT, { domain, manifest, number: version, noticed: new Date().toISOString() }))
  } catch { /* said above */ }
}

/** This machine has signed the newest manifest: whatever was before, its owner went on from it. */
export function forgetLastSigned (home: Home): void {
  try {
    rmSync(fileOf(home), { force: true })
  } catch { /* the marker, which was just written, stands before the note */ }
}
