/** `diad domain seals` and `diad domain unseal`: what is frozen, and giving one free. The anchors stay: no manifest is ever taken back. */
import { DiadError } from '../../../substrate/errors.js'
import type { CommandIo } from '../../command.js'
import { readRecords, removeRecord, type SealRecord } from '../../pins/records.js'
import { driverFor, sealsFolder } from '../../pins/select.js'
import { type Context, ownDomain } from '../context.js'
import { shownSeal } from './shown.js'
import type { SealsArgs, SealsResults } from './types.js'

function records (context: Context, io: CommandIo): readonly SealRecord[] {
  const { records: found, damaged } = readRecords(sealsFolder(context.home.paths))
  for (const path of damaged) io.warn(`the record ${path} can't be read`)
  return found
}

export async function domainSeals (context: Context, _args: SealsArgs['domain seals'], io: CommandIo): Promise<SealsResults['domain seals']> {
  return { domain: ownDomain(context), seals: records(context, io).map(shownSeal) }
}

export async function domainUnseal (context: Context, args: SealsArgs['domain unseal'], io: CommandIo): Promise<SealsResults['domain unseal']> {
  const domain = ownDomain(context)
  const { paths } = context.home
  const record = records(context, io).find((r) => r.name === args.name)
  if (record === undefined) throw new DiadError('not-found', `there is no seal called ${JSON.stringify(args.name)}`, 'see `diad domain seals`')
  const { name, pin, manifest, manifestVersion } = record
  const left = await (await driverFor(paths, record.domain, pin)).release(pin, { destroy: args.destroy })
  removeRecord(sealsFolder(paths), record)
  return { domain, name, kind: pin.kind, at: pin.at, left, manifest, manifestVersion }
}
