/** What admission shows to people. */
import { scopeWithin } from '../../authority/admission-objects.js'
import type { AdmissionArgs } from '../../node/commands/admission/types.js'
import { type Fields, fieldsOf, listOf, numberOf, optionalText, textOf, textsOf } from '../field.js'
import { domain, facts, meaning, named, type Renders } from '../render-parts.js'
import type { Style } from '../style.js'
import { columns, count, formatMode } from '../text.js'

const prefixesText = (prefixes: readonly string[]): string => prefixes.map((p) => p === '' ? 'everything' : p).join(', ') || 'nothing'
const scopeText = (fields: Fields, field = 'scope'): string => prefixesText(textsOf(fields, field))

function decided (r: Fields, style: Style): string[] {
  return [
    `${named(r)}  ${decisionText(r, style)}  ${style.faint(scopeText(r))}`,
    ...facts(style, [['  record', textOf(r, 'record')], ['  replaces', count(textsOf(r, 'previous').length, 'record')], ...changed(r, style)]),
    ...r['waiting'] === undefined ? [] : [`  ${style.careful('another request of it still waits:')} diad admit review ${textOf(r, 'waiting', 80)}`],
    ...r['absent'] === undefined ? [] : absent({ ...r, code: r['absent'] }, style)
  ]
}

/** What a decision made of the one before it. */
function changed (r: Fields, style: Style): Array<[string, string]> {
  const before = r['before'] === undefined ? undefined : fieldsOf(r['before'])
  const [from, to] = [before === undefined ? [] : textsOf(before, 'scope'), textsOf(r, 'scope')]
  const how = changeOf(from, to)
  if (before === undefined || how === undefined) return []
  const text = `from ${prefixesText(from)} (${inView(before)}) to ${prefixesText(to)} (${inView(r)})`
  return [[`  ${how}`, how === 'widens' ? text : style.careful(text)]]
}

const inView = (fields: Fields): string => `${count(numberOf(fields, 'names') ?? 0, 'name')} in our view`

/** undefined where both admit the same */
function changeOf (from: readonly string[], to: readonly string[]): 'narrows' | 'widens' | 'changes' | undefined {
  const [less, more] = [scopeWithin(to, from), scopeWithin(from, to)]
  return less ? more ? undefined : 'narrows' : more ? 'widens' : 'changes'
}

/** Why nothing is to be seen of a domain, in words, and what to type. */
function absent (r: Fields, style: Style): string[] {
  const called = optionalText(r, 'name', 80) ?? domain(r)
  switch (optionalText(r, 'code', 80)) {
    case 'not-followed': return [`  ${style.careful(`${named(r)} is held but not followed, so nothing of it is in our view:`)} diad follow ${called}`]
    case 'not-held': return [`  ${style.careful(`nothing of ${named(r)} is held yet, so nothing of it is in our view:`)} diad sync ${called} --peer ADDRESS, or diad bundle import FILE --follow`]
    default: return []
  }
}

function why (r: Fields, style: Style): string {
  const code = optionalText(r, 'code', 80)
  if (code === undefined) return ''
  const decision = optionalText(r, 'decision', 40)
  if (decision === 'REJECTED' && code === 'not-admitted') return style.bad('rejected')
  if (decision === 'DEFERRED' && code === 'admission-missing') return style.careful('put off: not decided yet')
  return style.careful(ABSENT.get(code) ?? meaning(code) ?? code)
}

/** What doesn't enter our view, and why. */
function left (r: Fields, style: Style): string {
  const refused = numberOf(r, 'refused') ?? 0
  return `${refused === 0 ? '' : `${refused} left out: `}${why(r, style)}`
}

const ABSENT: ReadonlyMap<string, string> = new Map([['not-followed', 'held but not followed'], ['not-held', 'nothing of it is held yet']])

function decisionText (fields: Fields, style: Style): string {
  const decision = textOf(fields, 'decision', 40)
  return (decision === 'ACCEPTED' ? style.good : decision === 'REJECTED' ? style.bad : style.careful)(decision)
}

/** Whether the request is one that may be decided on; decisions have words of their own, and "accepted" is one of them. */
function validity (r: Fields, style: Style): string {
  if (r['status'] === 'accepted') return style.good('valid')
  const code = textOf(r, 'code', 80)
  return `${r['status'] === 'deferred' ? style.careful(`can't be judged yet: ${code}`) : style.bad(`not valid: ${code}`)}${style.faint(`  ${meaning(code) ?? ''}`)}`.trimEnd()
}

/** What is admitted now, and what accepting the request would make of it. */
function standing (r: Fields, style: Style): Array<[string, string | undefined]> {
  const decision = optionalText(r, 'decision', 40)
  if (decision === undefined) return []
  const [from, to] = [textsOf(r, 'admittedScope'), textsOf(r, 'scope')]
  const how = r['decided'] === true || from.length === 0 || r['status'] !== 'accepted' ? undefined : changeOf(from, to)
  const text = `${how ?? ''} what is admitted: from ${prefixesText(from)} to ${prefixesText(to)}`
  return [
    ['  in force', `${decisionText(r, style)}${from.length === 0 ? '' : `  ${prefixesText(from)}`}`],
    ['  accepting it', how === undefined ? undefined : how === 'widens' ? text : style.careful(text)]
  ]
}

function reviewed (r: Fields, style: Style): string[] {
  return [
    `${style.strong(named(r))}  ${validity(r, style)}`,
    ...facts(style, [
      ['  domain', domain(r)],
      ['  authority', optionalText(r, 'authority')],
      ['  asks for', scopeText(r)],
      ['  brought by', optionalText(r, 'peer', 80)],
      ...standing(r, style),
      ['  request', textOf(r, 'request') + (r['decided'] === true ? '  (decided already)' : '')]
    ]),
    ...columns(listOf(r, 'checks').map((c) => ['  ' + (c['ok'] === true ? style.good('✓') : style.bad('✗')), style.faint(textOf(c, 'rule', 20)), textOf(c, 'text')])),
    ...textsOf(r, 'missing').map((ref) => `  missing ${ref}`)
  ]
}

function waiting (r: Fields, style: Style): string[] {
  const all = listOf(r, 'waiting')
  if (all.length === 0) return ['no request waits']
  return all.flatMap((w) => [`${style.strong(named(w))}  asks for ${scopeText(w)}  ${style.faint(`brought by ${textOf(w, 'peer', 80)}`)}`, `  diad admit review ${textOf(w, 'request', 80)}`])
}

export const admissionRenders: Renders<AdmissionArgs> = {
  'admit nonce': (r) => [`nonce written to ${textOf(r, 'out')}: give it to whoever wants to be admitted`],
  'admit request': (r, style) => [
    r['out'] === undefined
      ? `${style.good('received')} by ${textOf(r, 'peer', 80)}: a person there decides`
      : `request written to ${textOf(r, 'out')}: bring it to the receiver`,
    ...facts(style, [['  receiver', domain(r, 'receiver')], ['  scope', scopeText(r)], ['  request', r['out'] === undefined ? textOf(r, 'request') : undefined]])
  ],
  'admit review': (r, style) => r['waiting'] === undefined ? reviewed(r, style) : waiting(r, style),
  'admit accept': decided,
  'admit limit': decided,
  'admit defer': decided,
  'admit reject': decided,
  'admit list': (r, style) => {
    const all = listOf(r, 'admissions')
    if (all.length === 0) return ['nothing was decided yet']
    return [
      ...columns(all.map((a) => [named(a), decisionText(a, style), scopeText(a), `${count(numberOf(a, 'names') ?? 0, 'name')} in our view`, left(a, style)])),
      ...all.filter((a) => textOf(a, 'decision', 40).startsWith('ACCEPTED')).flatMap((a) => absent(a, style))
    ]
  },
  view: (r, style) => [
    ...listOf(r, 'entries').length > 0 ? [] : ['our view is empty: this domain publishes no name, and none that was admitted adds a name'],
    ...columns(listOf(r, 'entries').map((e) => {
      const code = optionalText(e, 'code', 80)
      const kind = e['kind'] === 'dir' ? 'dir' : 'file'
      const size = numberOf(e, 'size')
      return [formatMode(kind, numberOf(e, 'mode') ?? 0), size === undefined ? '-' : String(size), named({ domain: e['domain'], name: e['petname'] }), `${textOf(e, 'name')}${kind === 'dir' ? '/' : ''}${code === undefined ? '' : style.bad(`  (${meaning(code) ?? code})`)}`]
    }), [1]),
    ...columns(listOf(r, 'refused').filter((x) => !ABSENT.has(textOf(x, 'code', 80))).map((x) => ['  ' + named({ domain: x['domain'], name: x['petname'] }), `${count(numberOf(x, 'names') ?? 0, 'name')} left out`, why(x, style)])),
    ...listOf(r, 'refused').flatMap((x) => absent({ ...x, name: x['petname'] }, style))
  ]
}
