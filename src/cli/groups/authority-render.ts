/** What role, key and policy answer, for people. */
import type { AuthorityArgs } from '../../node/commands/authority/types.js'
import { NONE } from '../../substrate/reference.js'
import { type Fields, listOf, numberOf, optionalText, textOf, textsOf } from '../field.js'
import { domain, facts, lossLines, type Renders } from '../render-parts.js'
import type { Style } from '../style.js'
import { columns, count } from '../text.js'

/** Hex digits that a principal is shown by in lists: enough to give back to a command. */
const DIGITS = 12

/** `ci (1f2e3d4c5b6a)`, or the digits alone. */
function who (fields: Fields): string {
  const digits = textOf(fields, 'principal', 80).slice(0, DIGITS)
  const name = optionalText(fields, 'name', 80)
  return name === undefined ? digits : `${name} (${digits})`
}

function scopeText (prefixes: readonly string[]): string {
  if (prefixes.includes('')) return 'whole domain'
  return prefixes.length === 0 ? 'nothing' : prefixes.map((p) => `${p}/…`).join(' ')
}

function programsText (programs: readonly string[]): string | undefined {
  if (programs.includes(NONE)) return undefined
  return programs.length === 0 ? 'none' : programs.join(' ')
}

/** The manifest that says so, and what ends by it. */
function changed (r: Fields, style: Style): string[] {
  return [
    ...facts(style, [
      ['  domain', domain(r)],
      ['  manifest', `${textOf(r, 'version')}  ${style.faint(textOf(r, 'manifest'))}`]
    ]),
    ...lossLines(r, style)
  ]
}

export const authorityRenders: Renders<AuthorityArgs> = {
  'key new': (r, style) => [
    ...facts(style, [['key file', textOf(r, 'path')], ['public key', style.strong(textOf(r, 'publicKey'))], ['principal', textOf(r, 'principal')]]),
    'It may do nothing yet. To let it publish:',
    `  diad role grant ${textOf(r, 'publicKey')} --role …`,
    `A key for the offline roots gets no role: name ${textOf(r, 'path').replace(/\.key(\.age)?$/, '.pub')} with --root-pub or --next-root-pub.`
  ],

  'key list': (r, style) => {
    const keys = listOf(r, 'keys')
    if (keys.length === 0) return ['this home has no keys']
    return columns(keys.map((k) => [style.strong(textOf(k, 'name', 80)), textOf(k, 'principal', 80).slice(0, DIGITS), textsOf(k, 'roles').join(', ') || style.faint('no role'), k['encrypted'] === true ? 'encrypted' : style.careful('not encrypted')]))
  },

  'key rotate': (r, style) => [
    `${style.good('rotated')} ${textOf(r, 'name', 80)}: it is ${style.strong(textOf(r, 'principal', 80).slice(0, DIGITS))} now; the old key file is ${textOf(r, 'retired', 80)}`,
    ...changed(r, style)
  ],

  'key close': (r, style) => [`${style.good('closed')} ${who(r)}`, ...changed(r, style)],

  'role grant': (r, style) => [
    `${style.good('granted')} ${who(r)}`,
    ...facts(style, [['  roles', textsOf(r, 'roles').join(', ')], ['  scope', scopeText(textsOf(r, 'prefixes'))], ['  programs', programsText(textsOf(r, 'programs'))]]),
    ...changed(r, style)
  ],

  'role revoke': (r, style) => {
    const left = textsOf(r, 'roles')
    return [`${style.good('revoked')} ${who(r)}  ${style.faint(left.length === 0 ? 'it is no principal any more' : `left: ${left.join(', ')}`)}`, ...changed(r, style)]
  },

  'role list': (r, style) => {
    const all = listOf(r, 'principals')
    const state = textOf(r, 'state')
    return [
      `${style.strong(domain(r))}  manifest ${textOf(r, 'version')}${state === 'ok' ? '' : style.bad(`  ${state}`)}`,
      ...columns(all.map((p) => [
        `  ${style.strong(who(p))}`,
        p['listed'] === true ? textsOf(p, 'roles').join(', ') : style.faint('not a principal any more'),
        p['listed'] === true ? scopeText(textsOf(p, 'prefixes')) : '',
        lanesText(listOf(p, 'lanes'), style)
      ]))
    ]
  },

  'policy show': (r) => textOf(r, 'text', 1_000_000).split('\\n').slice(0, -1),

  'policy check': (r, style) => [
    `${style.good('no mistakes')}  ${style.faint(textOf(r, 'policyHash'))}`,
    ...(r['inForce'] === true ? ['it is the policy in force'] : r['inForce'] === false ? ['it differs from the policy in force: diad policy set brings it there, with the roots'] : [])
  ],

  'policy set': (r, style) => [
    r['request'] === null || r['request'] === undefined
      ? `${style.good('in force')} ${style.faint(textOf(r, 'policyHash'))}`
      : `${style.careful('not in force yet')}: the roots have to sign ${textOf(r, 'request')}`,
    ...textsOf(r, 'summary').map((line) => `  ${line}`)
  ]
}

/** How many leaves of its lanes count, and what is wrong with the others. */
function lanesText (lanes: readonly Fields[], style: Style): string {
  if (lanes.length === 0) return style.faint('no lanes')
  const valid = lanes.reduce((n, l) => n + (numberOf(l, 'valid') ?? 0), 0)
  const size = lanes.reduce((n, l) => n + (numberOf(l, 'size') ?? 0), 0)
  const codes = [...new Set(lanes.map((l) => textOf(l, 'code', 40)).filter((c) => c !== 'accepted'))]
  return `${count(lanes.length, 'lane')}, ${count(valid, 'record')}${valid === size ? '' : ` of ${size}`}${codes.length === 0 ? '' : `  ${style.bad(codes.join(', '))}`}`
}
