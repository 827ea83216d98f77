/**
 * Requests that came over the network and wait for a person: `HOME/admission-requests/REFERENCE.json`, request files like any other. A file that lies there
 * says too that its nonce was handed out, for just this request; so nothing else has to be remembered, and what is removed is forgotten whole. Source: RULES
 * D1; THREATS 23.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { AdmissionRoom } from '../../federation/admission-exchange.js'
import type { Brought } from '../../authority/admission-brought.js'
import type { Artifact } from '../../substrate/artifact.js'
import { DiadError } from '../../substrate/errors.js'
import { isReference, type Reference } from '../../substrate/reference.js'
import { errorCode, replaceFile, syncDirectory } from '../home/atomic-file.js'
import type { Home } from '../home/home.js'
import { readRequestFile, type RequestFile, requestText } from './files.js'

/** A flood of made-up domains fills this and no more: then whoever asks is told to come again. */
export const ROOM = {
  /** requests that wait, one of each applicant */
  requests: 64,
  /** of them, brought by one peer */
  perPeer: 2,
  /** bytes of all files */
  bytes: 64 * 1024 * 1024
} as const

const folderOf = (home: Home): string => join(home.paths.root, 'admission-requests')

export function waitingPath (home: Home, request: Reference): string {
  return join(folderOf(home), `${request}.json`)
}

export function waits (home: Home, request: Reference): boolean {
  return existsSync(waitingPath(home, request))
}

/** References, ascending. */
function waitingRefs (home: Home): Reference[] {
  try {
    return readdirSync(folderOf(home)).flatMap((name) => {
      const ref = name.endsWith('.json') ? name.slice(0, -'.json'.length) : ''
      return isReference(ref) ? [ref] : []
    }).sort()
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return []
    throw err
  }
}

export interface WaitingRequest {
  readonly ref: Reference
  readonly file: RequestFile
}

/** One after the other, for each may be large. `onBad` hears of those that can't be read. */
export function * readWaiting (home: Home, onBad: (line: string) => void): Generator<WaitingRequest> {
  for (const ref of waitingRefs(home)) {
    try {
      const file = readRequestFile(waitingPath(home, ref))
      if (file.ref === ref) yield { ref, file }
      else onBad(`${waitingPath(home, ref)} holds another request than its name says`)
    } catch (err) {
      if (!(err instanceof DiadError)) throw err
      onBad(err.message)
    }
  }
}

/** The request of `applicant` that waits, if one does. */
export function waitingOf (home: Home, applicant: Reference): Reference | undefined {
  for (const { ref, file } of readWaiting(home, () => undefined)) if (file.request.applicant === applicant) return ref
  return undefined
}

/** It has been decided, or another took its place. */
export function removeWaiting (home: Home, request: Reference): void {
  if (!waits(home, request)) return
  rmSync(waitingPath(home, request), { force: true })
  syncDirectory(folderOf(home))
}

/** What the bounds are counted by. */
interface Place { readonly applicant: Reference, readonly peer: string | undefined, readonly bytes: number }

export class WaitingRoom implements AdmissionRoom {
  private readonly places = new Map<Reference, Place>()

  constructor (private readonly home: Home, readonly receiver: Reference) {}

  async take (brought: Brought, peer: string): Promise<'received' | 'busy'> {
    const { home } = this
    const { request: { applicant }, ref } = brought
    this.look()
    const before = [...this.places].filter(([, p]) => p.applicant === applicant).map(([r]) => r)
    const others = [...this.places.values()].filter((p) => p.applicant !== applicant)
    const text = requestText({ ...brought, peer })
    const bytes = others.reduce((sum, p) => sum + p.bytes, text.length)
    if (others.length >= ROOM.requests || others.filter((p) => p.peer === peer).length >= ROOM.perPeer || bytes > ROOM.bytes) return 'busy'
    mkdirSync(folderOf(home), { recursive: true, mode: 0o700 })
    replaceFile(waitingPath(home, ref), text)
    this.places.set(ref, { applicant, peer, bytes: text.length })
    // Only when the newer one is safe.
    for (const old of before) if (old !== ref) removeWaiting(home, old)
    return 'received'
  }

  isFull (peer: string, applicant: Reference): boolean {
    this.look()
    return [...this.places.values()].filter((p) => p.peer === peer && p.applicant !== applicant).length >= ROOM.perPeer
  }

  brought (applicant: Reference): readonly Artifact[] {
    this.look()
    return [...this.places].flatMap(([ref, p]) => p.applicant === applicant ? readIfGood(waitingPath(this.home, ref))?.objects ?? [] : [])
  }

  /** Files come and go by a person's hand too. Each is read once, for one may be large. */
  private look (): void {
    const here = new Set(waitingRefs(this.home))
    for (const ref of [...this.places.keys()]) if (!here.has(ref)) this.places.delete(ref)
    for (const ref of here) if (!this.places.has(ref)) this.places.set(ref, placeOf(waitingPath(this.home, ref), ref))
  }
}

/** One that can't be read takes its place all the same, until somebody removes it. */
function placeOf (path: string, ref: Reference): Place {
  const bytes = statSync(path).size
  const file = readIfGood(path)
  return file === undefined ? { applicant: ref, peer: undefined, bytes } : { applicant: file.request.applicant, peer: file.peer, bytes }
}

function readIfGood (path: string): RequestFile | undefined {
  try {
    return readRequestFile(path)
  } catch (err) {
    if (!(err instanceof DiadError)) throw err
    return undefined
  }
}
