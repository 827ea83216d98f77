/** `diad rescue status`: whom this home acts for, with which key, and what was done. Needs no key. */
import { shownNames } from '../../../authority/domain-view.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { isThere } from '../../home/make-directory.js'
import { parseKeySpec } from '../../keys/key-spec.js'
import type { Context } from '../context.js'
import { keyFacts, readNote } from './note.js'

export async function rescueStatus (context: Context, _args: CommandArgs['rescue status'], _io: CommandIo): Promise<CommandResults['rescue status']> {
  const { root } = context.home.paths
  const note = readNote(root)
  const k = await context.runtime.knowledge(note.domain)
  const facts = keyFacts(k, note)
  const view = k.view()
  const lanes = [...view.lanes.values()].filter((v) => v.knowledge.lane.principal === facts.principal && v.branch !== undefined)
  return {
    domain: note.domain,
    home: root,
    ...facts,
    keyThere: keyThere(note.key),
    names: shownNames(view).length,
    lanes: lanes.map((v) => ({
      lane: v.knowledge.ref,
      records: v.branch?.log.size ?? 0,
      exported: v.exported,
      names: [...new Set(v.judged.flatMap(({ body, status }) => status === 'accepted' && body !== undefined && 'name' in body ? [body.name] : []))]
    }))
  }
}

/** Without opening it: a stick that isn't plugged in is told before the next `rescue publish` needs it. */
function keyThere (spec: string): boolean | null {
  const key = parseKeySpec(spec)
  return key.kind === 'file' ? isThere(key.path) : null
}
