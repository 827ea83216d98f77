/**
 * What some peers were asked for in vain, until another one gives it or all were asked. Each peer comes to each of it once, from where it was last: a slow
 * peer keeps the others from nothing, and makes nobody look at the same blocks again and again. Source: THREATS 4, 23.
 */
import type { Reference } from '../substrate/reference.js'
import { Opened, type Want } from './want.js'

/** Who was asked: one for all blocks that the same peers lack. */
class Tried {
  private readonly more = new Map<string, Tried>()

  constructor (readonly peers: ReadonlySet<string>) {}

  with (peer: string): Tried {
    let next = this.more.get(peer)
    if (next === undefined) this.more.set(peer, next = new Tried(new Set([...this.peers, peer])))
    return next
  }
}

/** about 65 MB */
const MOST = 262_144
/** Remembered as had by nobody: about 17 MB. What is forgotten is asked for again when another parent names it. */
const GIVEN_UP = 131_072
/** places of what was taken that are kept at least */
const GAPS = 1_024

export class Lacked {
  /** in the order they came; undefined where one was taken */
  private wants: Array<Want | undefined> = []
  private gaps = 0
  /** up to where each peer has looked */
  private readonly looked: Map<string, number>
  private readonly nobody = new Tried(new Set())
  /** of what lies here, and of what is asked for once more */
  private readonly tried = new Map<Reference, Tried>()
  private readonly givenUp = new Opened(GIVEN_UP)

  /** `most`: how many there may be before whoever lacks more of them waits for the others */
  constructor (peers: Iterable<string>, private readonly most = MOST) {
    this.looked = new Map([...peers].map((p) => [p, 0]))
  }

  get size (): number {
    return this.wants.length - this.gaps
  }

  /** Whether some peer has still to look at something. */
  get open (): boolean {
    return this.size > 0 && this.unseen()
  }

  /** Whether there is so much already that `peer` should go after nothing new before others have looked at it. */
  holdsBack (peer: string): boolean {
    return this.size >= this.most && this.unseen(peer)
  }

  /** Whether `peer` was asked for it in vain. */
  wasAsked (peer: string, ref: Reference): boolean {
    return this.tried.get(ref)?.peers.has(peer) === true
  }

  /** `peer` was asked for the block and didn't give it. */
  note (ref: Reference, peer: string): void {
    this.tried.set(ref, (this.tried.get(ref) ?? this.nobody).with(peer))
  }

  /** The block is here. */
  forget (ref: Reference): void {
    this.tried.delete(ref)
  }

  /** Nobody has it, or nobody can. */
  giveUp (ref: Reference): void {
    this.tried.delete(ref)
    this.givenUp.add(ref)
  }

  isGivenUp (ref: Reference): boolean {
    return this.givenUp.has(ref)
  }

  /** Keeps wants for a block that {@link note} was told of; false, and keeps none, when there is no peer left to ask. */
  add (wants: readonly Want[], ref: Reference): boolean {
    for (const p of this.looked.keys()) {
      if (this.wasAsked(p, ref)) continue
      for (const w of wants) this.wants.push(w)
      return true
    }
    return false
  }

  /** Takes out the next one that `peer` wasn't asked for; undefined when it has looked at all. */
  next (peer: string): Want | undefined {
    const from = this.looked.get(peer)
    if (from === undefined) return undefined
    for (let at = from; at < this.wants.length; at++) {
      const want = this.wants[at]
      if (want === undefined || this.wasAsked(peer, want.ref)) continue
      this.wants[at] = undefined
      this.gaps++
      this.looked.set(peer, at + 1)
      if (this.gaps > GAPS && this.gaps * 2 > this.wants.length) this.closeUp()
      return want
    }
    this.looked.set(peer, this.wants.length)
    return undefined
  }

  /** A peer is gone. Gives all that lies here: it may have been the last that could be asked. */
  leave (peer: string): Want[] {
    this.looked.delete(peer)
    return this.empty()
  }

  /** Takes out all. */
  empty (): Want[] {
    const rest = this.wants.filter((w) => w !== undefined)
    this.wants = []
    this.gaps = 0
    for (const p of this.looked.keys()) this.looked.set(p, 0)
    return rest
  }

  private unseen (but?: string): boolean {
    for (const [p, at] of this.looked) if (p !== but && at < this.wants.length) return true
    return false
  }

  private closeUp (): void {
    const before = new Uint32Array(this.wants.length + 1)
    for (let i = 0; i < this.wants.length; i++) before[i + 1] = (before[i] as number) + (this.wants[i] === undefined ? 0 : 1)
    this.wants = this.wants.filter((w) => w !== undefined)
    this.gaps = 0
    for (const [p, at] of this.looked) this.looked.set(p, before[at] as number)
  }
}
