/** Each domain: whether its authority forks, which names are contested, what can't be had, each with the way out; and how our own lanes go on (L4). */
import { counted, short } from '../../authority/explain/tree.js'
import { standingOf } from '../../authority/domain-standing.js'
import { shownNames } from '../../authority/domain-view.js'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import { VERDICT_CODES, type VerdictCode } from '../../authority/verdict.js'
import { moveWords } from '../../authority/explain/words.js'
import { INTERNAL } from '../../publication/lane.js'
import { showName } from '../../publication/names.js'
import { domainText } from '../../substrate/domain-id.js'
import { signedElsewhere } from '../elsewhere.js'
import type { Home } from '../home/home.js'
import type { Runtime } from '../runtime.js'
import { bad, type Finding, ok, warn } from './finding.js'

const MOST_SHOWN = 10

/** `typed` = the domain as a person can type it. */
export function checkDomain (runtime: Runtime, k: DomainKnowledge, typed: string): Finding[] {
  const own = runtime.records.get(k.domain)?.own === true
  const make = own ? bad : warn
  const authority = k.authority()
  const out: Finding[] = []
  if (authority.tip === undefined) {
    return [make(`nothing of it can be judged: ${meaningOf(authority.reason)}`, typed, own ? 'import a bundle of it, or restore the store' : `\`diad sync ${typed} --peer ADDRESS\``)]
  }
  switch (authority.state) {
    case 'ok': break
    case 'authority-forked':
      // Of the own domain checkElsewhere says it, with each branch in words.
      if (!own) out.push(warn(`authority is forked: ${counted(authority.forkChildren.length, 'manifest')} follow ${manifestWords(k)}, and none of them counts`, typed, 'its owner has to settle it; what was published goes on being accepted'))
      break
    case 'root-forked':
      out.push(make(`the root chain is forked: ${authority.stateText}`, typed, own ? '`diad root rotate --root-key new --new-roots DIR` settles it, unless two rotations opened one commitment' : 'its owner has to settle it'))
      break
    case 'deferred':
      out.push(make(`authority waits: ${meaningOf(authority.reason)}`, typed, own ? 'import a bundle of it, or run `diad serve` and let a follower bring what is missing' : `\`diad sync ${typed}\``))
  }
  const view = k.view()
  for (const v of view.lanes.values()) {
    const isInternal = v.knowledge.lane.visibility === INTERNAL
    if (!v.contested || (!isInternal && !v.considered && v.exported === 0)) continue
    const lane = `${typed}, lane ${v.knowledge.ref.slice(0, 16)}…`
    if (isInternal) {
      out.push(bad(`two histories of one internal lane were signed: decisions on other domains that stand from leaf ${v.knowledge.evidence?.index ?? 0} on don't count (E4)`, lane, 'see `diad admit list` and decide them anew; `diad key close` ends that key\'s lanes'))
      continue
    }
    out.push(make(`a publisher signed two histories of one lane, which differ from leaf ${v.knowledge.evidence?.index ?? 0} on (E4)`, lane, own ? '`diad key close` ends that key\'s lanes where you say; `diad adopt` keeps honest work' : 'its owner has to cut the lane; --accept-contested reads it all the same'))
  }
  const contested = [...view.current.values()].filter((e) => e.code === 'contested').map((e) => e.name)
  if (contested.length > 0) {
    out.push(make(`${contested.length === 1 ? 'a name is' : `${contested.length} names are`} contested: ${contested.slice(0, MOST_SHOWN).map(showName).join(', ')}${contested.length > MOST_SHOWN ? ' …' : ''}`, typed, 'see `diad verify NAME --explain`'))
  }
  const standing = standingOf(k)
  if (standing.status === 'deferred' && authority.state === 'ok') out.push(warn(`it is incomplete: ${meaningOf(standing.code)}`, typed, own ? 'run `diad serve`: a follower may bring what is missing' : `\`diad sync ${typed}\``))
  if (own) out.push(...checkOwnLanes(runtime, k, typed))
  const names = shownNames(view).length
  if (authority.state !== 'authority-forked' && out.every((f) => f.level === 'ok')) out.push(ok(`${authority.stateText}; ${names === 1 ? '1 name' : `${names} names`}`, typed))
  return out
}

/** M8: followers are told, and accept it by hand. Of the own domain it is told too: whoever has its roots may have signed it. */
export function checkMoved (runtime: Runtime, k: DomainKnowledge, typed: string): Finding[] {
  const { moves } = k.authority()
  const [only] = moves
  if (only === undefined) return []
  const words = moveWords(k).join('; ')
  if (runtime.records.get(k.domain)?.own === true) return [(moves.length === 1 ? warn : bad)(words, typed, 'if you didn\'t sign that: `diad root rotate` takes it back')]
  if (moves.length > 1) return [warn(words, typed, 'ask its people by another way which of them is theirs')]
  const { to } = only.move
  const record = runtime.records.get(to)
  if (record !== undefined && !record.dormant) return [ok(`${words}, which is followed here`, typed)]
  return [warn(words, typed, `ask its people by another way; then \`diad follow ${domainText(to)} --moved-from ${typed}\``)]
}

/** M8: no rule tells a thief's manifest from that of another machine of ours. */
export function checkElsewhere (home: Home, runtime: Runtime, k: DomainKnowledge, typed: string): Finding[] {
  const found = signedElsewhere(home, runtime, k)
  return found === undefined ? [] : [bad(`${found.text}. ${found.changes.join('. ')}`, typed, found.hint)]
}

function manifestWords (k: DomainKnowledge): string {
  const last = k.authority().onChain.at(-1)
  return last === undefined ? 'nothing' : `manifest ${last.manifest.version} (${short(last.ref)})`
}

const meaningOf = (code: string): string => VERDICT_CODES.get(code as VerdictCode)?.meaning ?? code

/** L4: which lanes of ours the next process may go on with. One that it may not is no fault: a new one is opened. */
function checkOwnLanes (runtime: Runtime, k: DomainKnowledge, typed: string): Finding[] {
  let more = 0
  let fewer = 0
  for (const v of k.viewAll().lanes.values()) {
    const head = v.branch?.head.snapshot
    if (head === undefined || v.knowledge.lane.manifest !== k.authority().tip) continue
    if (runtime.ports.markers.mayContinue(v.knowledge.ref, { size: head.log_size, root: head.log_root })) more++
    else fewer++
  }
  return more + fewer === 0 ? [] : [ok(`${more} lane${more === 1 ? '' : 's'} under the newest manifest may be continued here, ${fewer} may not (another home, or a reboot since)`, typed)]
}
