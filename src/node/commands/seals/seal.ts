/**
 * `diad domain seal`: anchors every lane in a manifest (K4), draws the domain root, and freezes it. In this order: the anchors are what seals, the pin only
 * keeps bytes. Run again after an interruption, it goes on from the manifest that is there.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { amendManifest } from '../../../authority/amend.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { ChainManifest } from '../../../authority/manifest-chain.js'
import { domainText } from '../../../substrate/domain-id.js'
import { DiadError } from '../../../substrate/errors.js'
import type { Reference } from '../../../substrate/reference.js'
import { changeAuthority, demandUnforked } from '../../authority.js'
import { refreshProjection } from '../../authority-projection.js'
import type { CommandIo } from '../../command.js'
import { replaceFile } from '../../home/atomic-file.js'
import { createRecord, readRecords, removeRecord, replaceRecord, type SealRecord } from '../../pins/records.js'
import { sealsFolder, selectDriver } from '../../pins/select.js'
import { sumsOf } from '../../pins/sums.js'
import { type Context, ownDomain } from '../context.js'
import { shownSeal } from './shown.js'
import type { SealsArgs, SealsResults } from './types.js'

export async function domainSeal (context: Context, args: SealsArgs['domain seal'], io: CommandIo): Promise<SealsResults['domain seal']> {
  const domain = ownDomain(context)
  const { paths } = context.home
  const folder = sealsFolder(paths)
  // Before anything is signed: a name that is taken, or that can't be one.
  if (args.pin !== undefined) (await selectDriver(paths, domain)).driver.plan(args.pin, 1)
  if (readRecords(folder).records.some((r) => r.name === args.pin)) throw new DiadError('seal-exists', `there is a seal called ${args.pin ?? ''} already`, 'choose another name; `diad domain seals` lists them')
  const anchored = await anchor(context, domain, args, io)
  const k = await context.runtime.wake(domain)
  const tip = k.authority().onChain.at(-1) as ChainManifest
  const { records, next } = readRecords(folder)
  const name = args.pin ?? freeName(`v${tip.manifest.version}`, records)
  refreshProjection(context, k)
  attest(context, k, tip, name)
  const { driver, note } = await selectDriver(paths, domain)
  if (note !== undefined) io.warn(`${note}; a read-only copy is made instead`)
  const files = Object.fromEntries(sumsOf(paths.domain))
  const planned: SealRecord = {
    number: next, name, domain, manifest: tip.ref, manifestVersion: tip.manifest.version, view: k.view().digest, lanes: tip.cuts.size, files, pin: driver.plan(name, next)
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  createRecord(folder, planned)
  let record: SealRecord
  try {
    record = { ...planned, pin: await driver.pin(planned.pin) }
  } catch (err) {
    // A driver that can tell that it failed leaves nothing behind; one that gave no answer may have.
    if (!(err instanceof DiadError && err.code === 'zfs-timeout')) removeRecord(folder, planned)
    throw err
  }
  replaceRecord(folder, record)
  return { ...shownSeal(record), domain, anchored, view: record.view, files: Object.keys(files).length }
}

/** Whether a new manifest was needed: one that anchors just what the newest anchors says nothing new. */
async function anchor (context: Context, domain: Reference, args: SealsArgs['domain seal'], io: CommandIo): Promise<boolean> {
  const k = await context.runtime.wake(domain)
  demandUnforked(context, k)
  const tip = k.authority().onChain.at(-1)
  try {
    if (tip !== undefined && amendManifest(k, { anchor: true }).manifest.cuts === tip.manifest.cuts) return false
  } catch (err) {
    // No lane yet: the domain root can be sealed all the same.
    if (err instanceof DiadError && err.code === 'nothing-to-change') return false
    throw err
  }
  const { offlineAuthority: offline, peers, key } = args
  await changeAuthority(context, domain, io, { offline, peers, ...(key === undefined ? {} : { key }) }, () => ({ anchor: true }))
  return true
}

function freeName (wanted: string, records: readonly SealRecord[]): string {
  const taken = new Set(records.map((r) => r.name))
  let name = wanted
  for (let n = 2; taken.has(name); n++) name = `${wanted}-${n}`
  return name
}

/** Says in the domain root itself what the seal rests on. Stays there: the anchors do, too. */
function attest (context: Context, k: DomainKnowledge, tip: ChainManifest, name: string): void {
  const lanes = [...tip.cuts.values()].map(({ lane, snapshot }) => {
    const head = k.lanes.get(lane)?.heads.get(snapshot)?.snapshot
    return { lane, snapshot, ...(head === undefined ? {} : { log_size: head.log_size, log_root: head.log_root }) }
  })
  const text = JSON.stringify({ domain: domainText(k.domain), seal: name, manifest: tip.ref, manifest_version: tip.manifest.version, view: k.view().digest, lanes }, null, 2) + '\n'
  mkdirSync(join(context.home.paths.domain, 'attestations'), { recursive: true })
  replaceFile(join(context.home.paths.domain, 'attestations', `seal-${name}.json`), text, 0o644)
}
