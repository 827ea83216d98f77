/**
 * Pins on ZFS: a snapshot of the dataset that the domain root lies on, and a hold on it, so that `zfs destroy` refuses. A hold doesn't protect against
 * `zpool destroy`: root wins. One query serves OpenZFS and zfs-fuse alike: `zfs get -H -p`.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { base32nopad } from '@scure/base'
import { utf8 } from '../../substrate/bytes.js'
import { DiadError } from '../../substrate/errors.js'
import { sha256Bytes } from '../../substrate/hasher.js'
import type { Reference } from '../../substrate/reference.js'
import { type Dataset, isDatasetName } from './dataset.js'
import { PIN_NAME, type Pin, type PinDriver, type PlannedPin } from './driver.js'
import { type RunZfs, runZfs, zfsError, zfsFault, zfsRows } from './zfs-command.js'

/** of the snapshots that are ours */
const SNAPSHOT_PREFIX = 'diad-'

/** 55 bytes, always: a tag of 256 bytes halts the kernel module of OpenZFS 2.1, so nothing that a person types gets into one. */
export function holdTag (domain: Reference, name: string): string {
  return `pf:${base32nopad.encode(sha256Bytes(utf8(`diad/pin/1 ${domain} ${name}`))).toLowerCase()}`
}

export interface SnapshotFacts {
  readonly snapshot: string
  /** decimal: a u64, beyond what a number holds */
  readonly guid: string
  /** how many holds there are */
  readonly holds: number
  /** deleted by the last release */
  readonly deferDestroy: boolean
}

const FACTS = 'guid,userrefs,defer_destroy'

/** Output of `zfs get -H -p -o name,property,value guid,userrefs,defer_destroy …`: one for each snapshot, in the order met. */
export function parseFacts (stdout: string): SnapshotFacts[] {
  const values = new Map<string, Map<string, string>>()
  for (const [name, property, value] of zfsRows(stdout)) {
    if (name === undefined || property === undefined || value === undefined || !name.includes('@')) continue
    let of = values.get(name)
    if (of === undefined) values.set(name, of = new Map<string, string>())
    of.set(property, value)
  }
  const out: SnapshotFacts[] = []
  for (const [snapshot, of] of values) {
    const guid = of.get('guid') ?? ''
    const holds = of.get('userrefs') ?? ''
    if (/^\d+$/.test(guid) && /^\d+$/.test(holds)) out.push({ snapshot, guid, holds: Number(holds), deferDestroy: of.get('defer_destroy') === 'on' })
  }
  return out
}

export class ZfsPins implements PinDriver {
  readonly kind = 'zfs'

  constructor (private readonly dataset: Dataset, private readonly domain: Reference, private readonly run: RunZfs = runZfs) {}

  plan (name: string): PlannedPin {
    if (!PIN_NAME.test(name)) throw new DiadError('malformed', `${JSON.stringify(name)} can't be the name of a pin`, 'use up to 64 letters, digits, dots, dashes and underscores')
    return { kind: 'zfs', at: `${this.dataset.name}@${SNAPSHOT_PREFIX}${name}`, tag: holdTag(this.domain, name), inside: this.dataset.inside }
  }

  async pin (planned: PlannedPin): Promise<Pin> {
    const at = checked(planned)
    const made = await this.run(['snapshot', at])
    if (made.code !== 0) throw zfsError('make a snapshot', made)
    try {
      return await this.hold(planned, at)
    } catch (err) {
      await this.run(['destroy', at]).catch(() => undefined)
      throw err
    }
  }

  private async hold (planned: PlannedPin, at: string): Promise<Pin> {
    const held = await this.run(['hold', planned.tag, at])
    if (held.code !== 0) throw zfsError('hold the snapshot', held)
    const facts = await this.facts(at)
    if (facts === undefined || facts.holds === 0) throw new DiadError('zfs-other', `the snapshot ${at} isn't held although zfs said so`, 'look at `zpool status` and the system log')
    return { ...planned, identity: facts.guid }
  }

  async check (pin: Pin): Promise<string[]> {
    const facts = await this.facts(checked(pin))
    if (facts === undefined) return [`the snapshot ${pin.at} is gone`]
    const out: string[] = []
    if (facts.guid !== pin.identity) out.push(`${pin.at} is another snapshot than the one that was made (guid ${facts.guid}, not ${pin.identity})`)
    if (facts.holds === 0) out.push(`nothing holds the snapshot ${pin.at} any more`)
    if (facts.deferDestroy) out.push(`the snapshot ${pin.at} will be deleted with its last hold`)
    return out
  }

  /** OpenZFS shows snapshots below `.zfs`; zfs-fuse doesn't. */
  readable (pin: Pin): string | undefined {
    if (this.dataset.mountPoint === undefined) return undefined
    const path = join(this.dataset.mountPoint, '.zfs', 'snapshot', pin.at.slice(pin.at.indexOf('@') + 1), pin.inside)
    return existsSync(path) ? path : undefined
  }

  async release (pin: PlannedPin, { destroy }: { readonly destroy: boolean }): Promise<'removed' | 'kept'> {
    const at = checked(pin)
    const facts = await this.facts(at)
    if (facts === undefined) return 'removed'
    if (facts.deferDestroy && !destroy) {
      throw new DiadError('pin-last-hold', `releasing the hold on ${at} would delete it: somebody ran zfs destroy -d`, 'add --destroy if that is meant')
    }
    const released = await this.run(['release', pin.tag, at])
    if (released.code !== 0 && zfsFault(released.stderr) !== 'tag-missing') throw zfsError('release the hold', released)
    if (!destroy) return 'kept'
    const destroyed = await this.run(['destroy', at])
    if (destroyed.code !== 0 && zfsFault(destroyed.stderr) !== 'missing') throw zfsError('delete the snapshot', destroyed)
    return 'removed'
  }

  /** Our snapshots of this dataset, those that no record knows among them. */
  async list (): Promise<SnapshotFacts[]> {
    const answer = await this.run(['get', '-H', '-p', '-r', '-d', '1', '-o', 'name,property,value', FACTS, this.dataset.name])
    if (answer.code !== 0) throw zfsError('list snapshots', answer)
    return parseFacts(answer.stdout).filter((f) => f.snapshot.startsWith(`${this.dataset.name}@${SNAPSHOT_PREFIX}`))
  }

  private async facts (at: string): Promise<SnapshotFacts | undefined> {
    const answer = await this.run(['get', '-H', '-p', '-o', 'name,property,value', FACTS, at])
    if (answer.code !== 0) {
      if (zfsFault(answer.stderr) === 'missing') return undefined
      throw zfsError('look at the snapshot', answer)
    }
    return parseFacts(answer.stdout).find((f) => f.snapshot === at)
  }
}

/** Names come from a record on disk: looked at again before they become arguments. */
function checked (pin: PlannedPin): string {
  const [dataset = '', snapshot = '', more] = pin.at.split('@')
  const good = more === undefined && isDatasetName(dataset) && snapshot.startsWith(SNAPSHOT_PREFIX) && PIN_NAME.test(snapshot.slice(SNAPSHOT_PREFIX.length)) && /^pf:[a-z2-7]{52}$/.test(pin.tag)
  if (!good) throw new DiadError('seal-damaged', 'the record of a seal names no snapshot of ours', 'look at it with `zfs list -t snapshot`; the record can be deleted by hand')
  return pin.at
}
