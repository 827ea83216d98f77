/** What admission shows to people. */
import type { AdmissionArgs } from '../../node/commands/admission/types.js'
import { type Fields, listOf, numberOf, optionalText, textOf, textsOf } from '../field.js'
import { domain, facts, named, type Renders, statusText, verdictLine } from '../render-parts.js'
import type { Style } from '../style.js'
import { columns, count, formatMode } from '../text.js'

const scopeText = (fields: Fields): string => textsOf(fields, 'scope').map((p) => p === '' ? 'everything' : p).join(', ') || 'nothing'

function decided (r: Fields, style: Style): string[] {
  return [
    `${named(r)}  ${decisionText(r, style)}  ${style.faint(scopeText(r))}`,
    ...facts(style, [['  record', textOf(r, 'record')], ['  replaces', count(textsOf(r, 'previous').length, 'record')]])
  ]
}

function decisionText (fields: Fields, style: Style): string {
  const decision = textOf(fields, 'decision', 40)
  return (decision === 'ACCEPTED' ? style.good : decision === 'REJECTED' ? style.bad : style.careful)(decision)
}

export const admissionRenders: Renders<AdmissionArgs> = {
  'admit nonce': (r) => [`nonce written to ${textOf(r, 'out')}: give it to whoever wants to be admitted`],
  'admit request': (r, style) => [
    `request written to ${textOf(r, 'out')}: bring it to the receiver`,
    ...facts(style, [['  receiver', domain(r, 'receiver')], ['  scope', scopeText(r)]])
  ],
  'admit review': (r, style) => [
    `${style.strong(named(r))}  ${verdictLine(r, style)}`,
    ...facts(style, [
      ['  domain', domain(r)],
      ['  authority', optionalText(r, 'authority')],
      ['  asks for', scopeText(r)],
      ['  in force', optionalText(r, 'decision')],
      ['  request', textOf(r, 'request') + (r['decided'] === true ? '  (decided already)' : '')]
    ]),
    ...columns(listOf(r, 'checks').map((c) => ['  ' + (c['ok'] === true ? style.good('✓') : style.bad('✗')), style.faint(textOf(c, 'rule', 20)), textOf(c, 'text')])),
    ...textsOf(r, 'missing').map((ref) => `  missing ${ref}`)
  ],
  'admit accept': decided,
  'admit limit': decided,
  'admit defer': decided,
  'admit reject': decided,
  'admit list': (r, style) => {
    const all = listOf(r, 'admissions')
    if (all.length === 0) return ['nothing was decided yet']
    return columns(all.map((a) => {
      const code = optionalText(a, 'code', 80)
      return [named(a), decisionText(a, style), scopeText(a), `${count(numberOf(a, 'names') ?? 0, 'name')} in our view`, code === undefined ? '' : style.careful(`[${code}]`)]
    }))
  },
  view: (r, style) => [
    ...columns(listOf(r, 'entries').map((e) => {
      const code = optionalText(e, 'code', 80)
      return [formatMode('file', numberOf(e, 'mode') ?? 0).slice(1), named({ domain: e['domain'], name: e['petname'] }), textOf(e, 'name') + (code === undefined ? '' : style.bad(`  [${code}]`))]
    })),
    ...columns(listOf(r, 'refused').map((x) => ['  ' + named({ domain: x['domain'], name: x['petname'] }), statusText(textOf(x, 'code', 80), '-', style), count(numberOf(x, 'names') ?? 0, 'name')]))
  ]
}
