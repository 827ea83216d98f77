/** What the commands on single records show to people. */
import type { RecordsArgs } from '../../node/commands/records/types.js'
import { type Fields, listOf, numberOf, optionalText, textOf, textsOf } from '../field.js'
import { domain, facts, type Render, type Renders, statusText } from '../render-parts.js'
import type { Style } from '../style.js'
import { count, formatBytes } from '../text.js'
import { renderExplain } from './explain-render.js'

/** names that one line lists */
const MOST_NAMES = 12

const short = (fields: Fields, name: string): string => {
  const value = textOf(fields, name, 80)
  return value.length > 24 ? `${value.slice(0, 16)}…` : value
}

/** `ci (ab12…)`, or the digits alone. */
function principal (fields: Fields): string {
  const called = optionalText(fields, 'called', 80)
  const id = `${textOf(fields, 'principal', 80).slice(0, 12)}…`
  return called === undefined ? id : `${called} (${id})`
}

function someNames (names: readonly string[]): string {
  const more = names.length - MOST_NAMES
  return names.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

const renderVouch: Render = (r, style) => {
  const vouches = listOf(r, 'vouches')
  if (vouches.length === 0) return ['nothing to vouch for: all of it was vouched for by this key before']
  const gained = (field: string): string[] => [...new Set(listOf(r, field).flatMap((x) => textsOf(x, 'names')))].sort()
  const [visible, exported, missing] = [gained('visible'), gained('exported'), textsOf(r, 'missing')]
  const none = listOf(r, 'visible').length + listOf(r, 'exported').length === 0
  return [
    `${r['done'] === true ? style.good('vouched') : style.careful('would vouch')} for ${vouches.map((x) => `the lane ${short(x, 'lane')} of ${principal(x)} up to ${count(numberOf(x, 'size') ?? 0, 'record')}`).join(', ')}`,
    ...facts(style, [
      ['visible', visible.length === 0 ? undefined : someNames(visible)],
      ['exported', exported.length === 0 ? undefined : someNames(exported)],
      ['snapshot', optionalText(r, 'snapshot', 80)]
    ]),
    ...none ? ['nothing shows yet: a publish key makes a producer\'s lane visible, and a federate key exports what is visible'] : [],
    ...visible.length > 0 && exported.length === 0 ? ['readers see it once a federate key vouches for it too'] : [],
    ...missing.length === 0 ? [] : [`the content of ${someNames(missing)} isn't complete here: a mirror fetches it`]
  ]
}

const renderLanes: Render = (r, style) => {
  const [valid, size, visible, exported] = [numberOf(r, 'valid') ?? 0, numberOf(r, 'size') ?? 0, numberOf(r, 'visible') ?? 0, numberOf(r, 'exported') ?? 0]
  const cut = numberOf(r, 'cutAt')
  const fork = numberOf(r, 'forkedAt')
  const code = textOf(r, 'code', 80)
  const reach = exported > 0 && exported === valid ? style.good('exported') : exported > 0 ? `exported up to ${exported}` : visible > 0 ? style.careful(`visible up to ${visible}, not exported`) : style.careful(valid === 0 && size > 0 ? 'nothing of it shows' : 'a proposal: not visible')
  const version = numberOf(r, 'manifest')
  const head = optionalText(r, 'head', 80)
  return [
    `${style.strong(textOf(r, 'lane', 80).slice(0, 16))}  ${principal(r)}  ${textsOf(r, 'roles').join(', ') || 'no role'}  ${version === undefined ? 'not on the accepted chain' : `manifest ${version}`}${r['visibility'] === 'internal' ? '  internal' : ''}`,
    `    ${count(size, 'record')}${valid === size ? '' : `, ${valid} of them count`}, ${reach}${code === 'accepted' ? '' : `, ${statusText(code, code, style)}`}${cut === undefined ? '' : `, ended after ${cut}`}${fork === undefined ? '' : style.bad(`, forked at ${fork}`)}`,
    ...head === undefined ? [] : [`    head  ${style.faint(head)}`]
  ]
}

const renderErase: Render = (r, style) => {
  const erased = listOf(r, 'erased')
  const older = textsOf(r, 'older')
  return [
    `${style.good('erased')} ${count(erased.length, 'record')}: ${someNames(erased.map((e) => optionalText(e, 'name') ?? `${textOf(e, 'kind', 20)} ${short(e, 'lane')}:${textOf(e, 'index', 20)}`))}`,
    ...facts(style, [['domain', domain(r)], ['snapshot', textOf(r, 'snapshot', 80)]]),
    ...older.length === 0 ? [] : [style.careful(`an older record shows again: ${someNames(older)}`)],
    'Nodes that keep the rules no longer show or serve it. Copies that others carried away can\'t be called back.',
    'The bytes of its records are dropped once a manifest anchors this: diad domain seal'
  ]
}

const renderTombstone: Render = (r, style) => [`${style.good('hidden')} ${style.strong(textOf(r, 'name'))}`, ...facts(style, [['domain', domain(r)], ['snapshot', textOf(r, 'snapshot', 80)]])]

const LEFT: Readonly<Record<string, string>> = {
  'in-force': 'is published already',
  taken: 'something else is published under it; --only NAME replaces that',
  tombstoned: 'the lane itself took it back',
  'out-of-scope': 'is outside the scope of this key',
  erased: 'was erased, and stays so',
  rejected: 'was never valid: the key had no right to it'
}

const renderAdopt: Render = (r, style) => {
  const adopted = listOf(r, 'adopted').map((x) => textOf(x, 'name'))
  const receipts = numberOf(r, 'receipts') ?? 0
  const verb = r['done'] === true ? style.good('adopted') : adopted.length === 0 ? 'nothing to adopt' : style.careful('would adopt')
  return [
    `${verb} from the lane ${short(r, 'from')} of ${principal(r)}${adopted.length === 0 ? '' : `: ${someNames(adopted)}`}`,
    ...facts(style, [['snapshot', optionalText(r, 'snapshot', 80)]]),
    ...listOf(r, 'left').map((x) => `  left ${textOf(x, 'name')}: ${LEFT[textOf(x, 'code', 40)] ?? textOf(x, 'code', 40)}`),
    ...receipts === 0 ? [] : [`  ${count(receipts, 'receipt')} can't be adopted: execute again`]
  ]
}

const renderLog: Render = (r, style) => {
  const code = optionalText(r, 'code', 80)
  const mark = code === undefined ? '' : style.careful(`  [${code}]`)
  const words = textsOf(r, 'words')
  switch (r['event']) {
    case 'epoch': return [`${style.strong(`epoch ${textOf(r, 'epoch', 20)}`)}  ${words.join('; ')}${mark}`]
    case 'manifest': return [`${style.strong(`manifest ${textOf(r, 'version', 20)}`)}${mark}`, ...words.map((w) => `    ${w}`)]
    case 'head': return [style.faint(`  head ${textOf(r, 'ref', 80)}  ${words.join('; ')}`)]
    case 'moved': return [style.careful(words.join('; '))]
    case 'fork': return [style.bad(`  fork  ${words.join('; ')}`)]
    default: return [recordLine(r, style, words, mark)]
  }
}

function recordLine (r: Fields, style: Style, words: readonly string[], mark: string): string {
  const name = optionalText(r, 'name')
  const size = numberOf(r, 'size')
  const parts = [
    `  ${textOf(r, 'logseq', 20).padStart(4)}  ${textOf(r, 'kind', 20).padEnd(9)}`,
    ...name === undefined ? [] : [style.strong(name)],
    ...r['content'] === undefined ? [] : [style.faint(short(r, 'content'))],
    ...size === undefined ? [] : [formatBytes(size)],
    ...words,
    style.faint(`by ${principal(r)}`)
  ]
  return parts.join('  ') + mark
}

export const recordsRenders: Renders<RecordsArgs> = {
  vouch: renderVouch,
  lanes: renderLanes,
  erase: renderErase,
  tombstone: renderTombstone,
  adopt: renderAdopt,
  explain: renderExplain,
  log: renderLog
}
