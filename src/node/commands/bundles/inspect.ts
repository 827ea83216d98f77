/** `diad bundle inspect`: what a bundle holds, judged from the file alone. Needs no home, keeps nothing. */
import type { ViewedLane } from '../../../authority/domain-view.js'
import { inspectBundle } from '../../../federation/bundle.js'
import { INTERNAL } from '../../../publication/lane.js'
import { NONE } from '../../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { bytesOf } from './file.js'
import type { BundleInspected } from './types.js'

export async function bundleInspect (_context: unknown, args: CommandArgs['bundle inspect'], io: CommandIo): Promise<CommandResults['bundle inspect']> {
  const { installNativeCrypto } = await import('../../native-crypto.js')
  installNativeCrypto()
  const { domain, status, code, text, refused, knowledge, counts, records, blocks, bytes } = await inspectBundle(bytesOf(args.file, io), {
    signal: io.signal,
    onProgress: (done, total) => { io.progress({ phase: 'reading', done, unit: 'blocks', bytes: total }) }
  })
  const { objects, evidence, leaves } = counts
  const result = { domain: domain ?? null, status, code, ...(text === '' ? {} : { reason: text }), refused, objects, evidence, leaves, blocks, bytes }
  // Of a file that is refused nothing else is believed.
  if (knowledge === undefined || status === 'rejected') return { ...result, lanes: [], names: [] }
  const view = knowledge.view()
  return {
    ...result,
    authority: knowledge.authority().stateText,
    lanes: [...view.lanes.values()].map((v) => ({ lane: v.knowledge.ref, principal: v.knowledge.lane.principal, ...standing(v), records: v.branch?.log.size ?? 0, exported: v.exported })),
    ...(counts.internal === 0 ? {} : { internal: { lanes: counts.internal, records } }),
    names: [...view.current.values()].filter((e) => e.ref !== NONE).map(({ name, ref, code: flag }) => ({ name, ref, code: flag }))
  }
}

function standing (v: ViewedLane): Pick<BundleInspected['lanes'][number], 'visibility' | 'status' | 'code'> {
  const isInternal = v.knowledge.lane.visibility === INTERNAL
  const code = v.status !== 'accepted' || v.exported > 0 ? v.code : isInternal ? 'internal' : 'not-exported'
  return { visibility: isInternal ? 'internal' : 'published', status: v.status, code }
}
