/** Bundle: results for people. */
import type { BundlesArgs } from '../../node/commands/bundles/types.js'
import { faultText } from '../../federation/bundle-words.js'
import { showName } from '../../publication/names.js'
import { type Fields, fieldsOf, listOf, numberOf, optionalText, textOf, textsOf } from '../field.js'
import { domain, facts, meaning, named, type Renders, statusText, verdictLine } from '../render-parts.js'
import type { Style } from '../style.js'
import { columns, count, formatBytes } from '../text.js'

export const bundlesRenders: Renders<BundlesArgs> = {
  'bundle export': (r, style) => r['file'] === undefined
    ? []
    : [`${style.good('exported')} ${domain(r)} to ${textOf(r, 'file')}  ${style.faint(amount(r))}`, ...internal(r, style), ...lacking(r, style)],

  'bundle import' (r, style) {
    if (r['status'] === 'rejected') return refusal(r, style)
    return [
      `${style.good('imported')} ${style.strong(named(r))}  ${style.faint(`${count(numberOf(r, 'names') ?? 0, 'name')}, ${count(numberOf(r, 'leaves') ?? 0, 'record')} read and ${amount(r, 'new block')} from the file`)}`,
      ...internal(r, style),
      ...lacking(r, style),
      ...listOf(r, 'proposals').map((p) => `  ${style.careful('not exported')}  lane ${textOf(p, 'lane', 80)}, ${count(numberOf(p, 'records') ?? 0, 'record')} by ${optionalText(p, 'principalName', 80) ?? textOf(p, 'principal', 80).slice(0, 16)}`),
      ...listOf(r, 'uncounted').flatMap((u) => uncounted(u, style)),
      ...inWords(r, 'refused', style.bad('  refused')),
      ...inWords(r, 'noted', style.faint('  no effect'))
    ]
  },

  'bundle inspect' (r, style) {
    if (r['status'] === 'rejected') return refusal(r, style)
    return [
      `${style.strong(domain(r))}  ${verdictLine(r, style)}`,
      ...facts(style, [
        ['  authority', optionalText(r, 'authority')],
        ['  evidence', String(numberOf(r, 'evidence') ?? 0)],
        ['  records', String(numberOf(r, 'leaves') ?? 0)],
        ['  content', amount(r)],
        ['  internal', r['internal'] === undefined ? undefined : `${internalAmount(r)}: for the domain's own machines alone, as it shows whom it admitted and whom it turned away`]
      ]),
      ...columns(listOf(r, 'lanes').map((l) => [style.faint('  lane'), textOf(l, 'lane', 80), statusText(textOf(l, 'status'), textOf(l, 'code'), style), textOf(l, 'visibility') === 'internal' ? `${count(numberOf(l, 'records') ?? 0, 'record')}, internal` : `${numberOf(l, 'exported') ?? 0} of ${count(numberOf(l, 'records') ?? 0, 'record')} exported`])),
      ...columns(listOf(r, 'names').map((n) => [style.faint('  name'), textOf(n, 'name'), textOf(n, 'ref', 80)]))
    ]
  },

  'bundle heads': (r, style, args) => r['domain'] === undefined ? [] : [`${style.good('wrote')} ${textOf(args, 'file')}  ${style.faint(count(listOf(r, 'lanes').length, 'lane'))}`]
}

function amount (r: Fields, noun = 'block'): string {
  return `${count(numberOf(r, 'blocks') ?? 0, noun)} of content, ${formatBytes(numberOf(r, 'bytes') ?? 0)}`
}

/** What only the domain's own machines hand each other. */
function internal (r: Fields, style: Style): string[] {
  return r['internal'] === undefined ? [] : [`  ${style.careful('internal')}  ${internalAmount(r)}`]
}

function internalAmount (r: Fields): string {
  const part = fieldsOf(r['internal'])
  return `${count(numberOf(part, 'lanes') ?? 0, 'lane')}, ${count(numberOf(part, 'records') ?? 0, 'decision')} on other domains`
}

function lacking (r: Fields, style: Style): string[] {
  const missing = numberOf(r, 'missing') ?? 0
  const over = numberOf(r, 'overQuota') ?? 0
  const beyond = over === 0 ? [] : [`  ${style.careful(count(over, 'block'))} of content would go beyond the quota of this domain: left out, with all below`]
  return missing === 0 ? beyond : [...beyond, `  ${style.careful(count(missing, 'block'))} of content that names need ${missing === 1 ? 'is' : 'are'} not in it`]
}

const MOST_NAMES = 8

/** Work that was carried here for nothing: what, why, and how it is saved. */
function uncounted (u: Fields, style: Style): string[] {
  const n = numberOf(u, 'records') ?? 0
  const names = textsOf(u, 'names')
  const by = optionalText(u, 'principalName', 80) ?? textOf(u, 'principal', 80).slice(0, 16)
  const what = names.length === 0 ? '' : `: ${names.slice(0, MOST_NAMES).map(showName).join(', ')}${names.length > MOST_NAMES ? ' …' : ''}`
  return [
    `  ${style.bad(`${count(n, 'record')} by ${by} ${n === 1 ? 'doesn\'t' : 'don\'t'} count`)}${what}  ${style.faint(meaning(textOf(u, 'code', 80)) ?? textOf(u, 'code', 80))}`,
    ...u['adoptable'] === true ? [`    to publish ${n === 1 ? 'it' : 'them'} again under a living key: diad adopt ${textOf(u, 'lane', 80)}`] : []
  ]
}

function refusal (r: Fields, style: Style): string[] {
  return [`${style.bad('refused')}: ${textOf(r, 'code', 80)}  ${style.faint(optionalText(r, 'reason') ?? '')}`.trimEnd(), ...faults(r, 'refused', '  at'), '  nothing was changed']
}

/** One line for each kind: a file may hold hundreds of one. */
function inWords (r: Fields, list: string, label: string): string[] {
  const kinds = new Map<string, Fields[]>()
  for (const f of listOf(r, list)) {
    const code = textOf(f, 'code', 80)
    kinds.set(code, [...kinds.get(code) ?? [], f])
  }
  return columns([...kinds].map(([code, [first, ...more]]) => [label, faultText(code), optionalText(first ?? {}, 'ref', 80) ?? '', more.length === 0 ? '' : `and ${more.length} more`]))
}

function faults (r: Fields, list: string, label: string): string[] {
  return columns(listOf(r, list).map((f) => [label, `byte ${numberOf(f, 'offset') ?? 0}`, textOf(f, 'code', 80), optionalText(f, 'ref', 80) ?? '']))
}
