/**
 * Every key of one domain, with whoever has it at hand: the people of a scenario keep them on paper, so none of them is ever lost to the simulator. Keys
 * come from the seed; those that come later have a number behind their name.
 */
import { type OfflineRootSet, rootSetFrom } from '../../src/authority/root-set.js'
import { principalId } from '../../src/publication/evidence.js'
import { type Hash, type PublicKey, type Reference, REFERENCE_LENGTH, referenceFromBytes } from '../../src/substrate/reference.js'
import type { Signer } from '../../src/substrate/signature.js'
import { signerFrom } from './keys.js'
import type { Random } from './random.js'

/** A root set as its holders have it: what the next one will be is known to nobody else. */
export interface RootSet { readonly signers: readonly Signer[], readonly set: OfflineRootSet, readonly salt: string }

export class Keyring {
  private readonly generations = new Map<string, Signer[]>()
  private readonly names = new Map<Hash, string>()
  private readonly held = new Map<PublicKey, Signer>()
  private readonly counts = new Map<string, number>()
  /** by the commitment that the set opens */
  private readonly sets = new Map<Hash, RootSet>()
  private newestRootKey: Signer
  /** the root set in force, as far as its holders know */
  roots: RootSet
  /** the one that was committed to last */
  nextRoots: RootSet

  /** `onSign` is told what principals sign. */
  constructor (private readonly domain: string, private readonly seed: number, private readonly random: Random, private readonly onSign: (target: Reference) => void, private readonly size: { readonly count: number, readonly threshold: number }) {
    this.newestRootKey = this.make('root_key')
    this.roots = this.newRoots()
    this.nextRoots = this.newRoots()
  }

  private make (label: string): Signer {
    const n = (this.counts.get(label) ?? 0) + 1
    this.counts.set(label, n)
    const signer = signerFrom(this.seed, `${this.domain} ${label}${n === 1 ? '' : ` ${n}`}`)
    this.held.set(signer.publicKey, signer)
    return signer
  }

  /** A fresh key for the principal of this name, who has it from now on beside the ones before. */
  principal (name: string): Signer {
    const made = this.make(`principal ${name}`)
    const signer = watched(made, this.onSign)
    this.generations.set(name, [signer, ...this.generations.get(name) ?? []])
    this.names.set(principalId(signer.publicKey), name)
    return signer
  }

  /** All keys that a principal ever had, the newest first; none where nobody is called that. */
  of (name: string): readonly Signer[] {
    return this.generations.get(name) ?? []
  }

  nameOf (id: Hash): string | undefined {
    return this.names.get(id)
  }

  /** One that no manifest listed yet. */
  unseen (name: string, seen: Pick<ReadonlySet<Hash>, 'has'> | undefined): Signer | undefined {
    return this.of(name).find((s) => seen?.has(principalId(s.publicKey)) !== true)
  }

  get rootKey (): Signer {
    return this.newestRootKey
  }

  newRootKey (): Signer {
    return (this.newestRootKey = this.make('root_key'))
  }

  newRoots (): RootSet {
    const signers = Array.from({ length: this.size.count }, () => this.make('root'))
    return { signers, set: rootSetFrom(signers.map((s) => s.publicKey), this.size.threshold), salt: this.random.fork(`salt ${this.counts.get('root') ?? 0}`).hex(32) }
  }

  keep (commitment: Hash, set: RootSet): void {
    this.sets.set(commitment, set)
  }

  /** The root set that a commitment is to. */
  behind (commitment: Hash): RootSet | undefined {
    return this.sets.get(commitment)
  }

  /** A key of somebody else's, who wants to be taken for the domain's. */
  strangers (): Signer {
    return this.make('stranger')
  }

  /** Of a root, a root_key or a principal; what principals sign this way isn't told. */
  signer (key: PublicKey): Signer | undefined {
    return this.held.get(key)
  }
}

/** A signer that tells what it signs: the target's reference stands at the end of the signed bytes. */
function watched (signer: Signer, onSign: (target: Reference) => void): Signer {
  return {
    publicKey: signer.publicKey,
    sign: async (message) => {
      onSign(referenceFromBytes(message.subarray(message.length - REFERENCE_LENGTH)))
      return await signer.sign(message)
    }
  }
}
