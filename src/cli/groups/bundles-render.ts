/** Bundle: results for people. */
import type { BundlesArgs } from '../../node/commands/bundles/types.js'
import { type Fields, listOf, numberOf, optionalText, textOf } from '../field.js'
import { domain, facts, named, type Renders, statusText, verdictLine } from '../render-parts.js'
import type { Style } from '../style.js'
import { columns, count, formatBytes } from '../text.js'

export const bundlesRenders: Renders<BundlesArgs> = {
  'bundle export': (r, style) => r['file'] === undefined
    ? []
    : [`${style.good('exported')} ${domain(r)} to ${textOf(r, 'file')}  ${style.faint(amount(r))}`, ...lacking(r, style)],

  'bundle import' (r, style) {
    if (r['status'] === 'rejected') return refusal(r, style)
    return [
      `${style.good('imported')} ${style.strong(named(r))}  ${style.faint(`${count(numberOf(r, 'names') ?? 0, 'name')}, ${count(numberOf(r, 'leaves') ?? 0, 'record')} and ${amount(r)} from the file`)}`,
      ...lacking(r, style),
      ...listOf(r, 'proposals').map((p) => `  ${style.careful('not exported')}  lane ${textOf(p, 'lane', 80)}, ${count(numberOf(p, 'records') ?? 0, 'record')} by ${textOf(p, 'principal', 80).slice(0, 16)}`),
      ...faults(r, 'refused', style.bad('  refused')),
      ...faults(r, 'noted', style.faint('  no effect'))
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
        ['  content', amount(r)]
      ]),
      ...columns(listOf(r, 'lanes').map((l) => [style.faint('  lane'), textOf(l, 'lane', 80), statusText(textOf(l, 'status'), textOf(l, 'code'), style), `${numberOf(l, 'exported') ?? 0} of ${count(numberOf(l, 'records') ?? 0, 'record')} exported`])),
      ...columns(listOf(r, 'names').map((n) => [style.faint('  name'), textOf(n, 'name'), textOf(n, 'ref', 80)]))
    ]
  },

  'bundle heads': (r, style, args) => r['domain'] === undefined ? [] : [`${style.good('wrote')} ${textOf(args, 'file')}  ${style.faint(count(listOf(r, 'lanes').length, 'lane'))}`]
}

function amount (r: Fields): string {
  return `${count(numberOf(r, 'blocks') ?? 0, 'block')} of content, ${formatBytes(numberOf(r, 'bytes') ?? 0)}`
}

function lacking (r: Fields, style: Style): string[] {
  const missing = numberOf(r, 'missing') ?? 0
  return missing === 0 ? [] : [`  ${style.careful(count(missing, 'block'))} of content that names need ${missing === 1 ? 'is' : 'are'} not in it`]
}

function refusal (r: Fields, style: Style): string[] {
  return [`${style.bad('refused')}: ${textOf(r, 'code', 80)}  ${style.faint(optionalText(r, 'reason') ?? '')}`.trimEnd(), ...faults(r, 'refused', '  at'), '  nothing was changed']
}

function faults (r: Fields, list: string, label: string): string[] {
  return columns(listOf(r, list).map((f) => [label, `byte ${numberOf(f, 'offset') ?? 0}`, textOf(f, 'code', 80), optionalText(f, 'ref', 80) ?? '']))
}
