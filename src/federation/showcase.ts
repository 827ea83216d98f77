/** What hellos say of us, kept up to date. */
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { Hash, Reference } from '../substrate/reference.js'
import { isPublic } from './visibility.js'

export interface Shown {
  readonly domains: ReadonlyMap<Reference, Hash>
  /** counts changes */
  readonly epoch: number
  /** counts changes that can't wait: of which domains there are, and of what their authority says */
  readonly names: number
}

export class Showcase {
  shown: Shown = { domains: new Map(), epoch: 0, names: 0 }
  /** the sum of all domains' revisions at the last look; -1 when the set of domains changed since */
  private looked = -1
  private tips = new Map<Reference, string>()

  /** The set of domains changed. */
  stir (): void {
    this.looked = -1
  }

  /** Where anything may have changed since the last look, `each` is called for every domain, and `note` with the digest of those that are shown. */
  look (domains: ReadonlyMap<Reference, DomainKnowledge>, each: (k: DomainKnowledge) => void, note: (domain: Reference, digest: Hash) => void): void {
    let revisions = 0
    for (const k of domains.values()) revisions += k.revision
    if (revisions === this.looked) return
    this.looked = revisions
    const { domains: before, epoch, names } = this.shown
    const shown = new Map<Reference, Hash>()
    let same = true
    let renamed = false
    const tips = new Map<Reference, string>()
    for (const [domain, k] of domains) {
      each(k)
      if (!isPublic(k)) continue
      const digest = k.inventoryDigest()
      note(domain, digest)
      shown.set(domain, digest)
      same &&= before.get(domain) === digest
      // Nothing gossips a manifest, and who isn't told of a revocation goes on believing the key.
      const { epoch: age, tip } = k.authority()
      tips.set(domain, `${age} ${tip ?? ''}`)
      renamed ||= !before.has(domain) || tips.get(domain) !== this.tips.get(domain)
    }
    this.tips = tips
    renamed ||= shown.size !== before.size
    if (!same || renamed) this.shown = { domains: shown, epoch: epoch + 1, names: renamed ? names + 1 : names }
  }
}
