/** What root, sign and recover say to people. */
import type { RootsArgs } from '../../node/commands/roots/types.js'
import { type Fields, listOf, numberOf, optionalText, textOf, textsOf } from '../field.js'
import { domain, facts, type Render, type Renders } from '../render-parts.js'
import type { Style } from '../style.js'
import { columns, count } from '../text.js'

/** `2 of 3`. */
function share (r: Fields, signed: number): string {
  return `${signed} of ${numberOf(r, 'threshold') ?? '?'} needed`
}

function epochLines (r: Fields, style: Style, what: string): string[] {
  const request = optionalText(r, 'request')
  const waiting = r['manifest'] === null && request !== undefined
  const summary = textsOf(r, 'summary').map((line) => `  ${line}`)
  const manifest = optionalText(r, 'manifest')
  return [
    waiting ? `${style.careful('waits for signatures')} ${request}` : `${style.good(what)} epoch ${textOf(r, 'epoch')}`,
    ...summary,
    ...facts(style, [
      ['entry', textOf(r, 'entry')],
      ['manifest', manifest === undefined ? undefined : `${textOf(r, 'version')}  ${manifest}`],
      ['signed', textsOf(r, 'signed').length === 0 && !waiting ? undefined : share(r, textsOf(r, 'signed').length)]
    ]),
    ...waiting ? ['', `  each root: diad sign --request ${request} --key KEY --yes`, `  then here: diad root apply ${request}`] : []
  ]
}

const rotated: Render = (r, style) => [...epochLines(r, style, 'rotated to'), ...facts(style, [['next roots', optionalText(r, 'newRoots')]])]

const recovered: Render = (r, style) => [
  ...epochLines(r, style, 'recovered in'),
  ...facts(style, [['principal', optionalText(r, 'principal')], ['closed', textsOf(r, 'closed').length === 0 ? undefined : textsOf(r, 'closed').join(' ')]])
]

export const rootsRenders: Renders<RootsArgs> = {
  'root show' (r, style) {
    const drill = typeof r['drill'] === 'object' && r['drill'] !== null ? r['drill'] as Fields : {}
    const needed = numberOf(drill, 'needed')
    const tried = drill['done'] === true
      ? style.good(`done, ${textOf(drill, 'at', 40)}`)
      : needed === undefined ? style.careful('never: run `diad root drill`') : style.careful(`${textOf(drill, 'signed')} of ${needed} keys signed, ${textOf(drill, 'at', 40)}`)
    const fork = textsOf(r, 'fork')
    return [
      ...facts(style, [
        ['domain', style.strong(domain(r))],
        ['epoch', textOf(r, 'epoch')],
        ['state', r['state'] === 'ok' ? style.good('ok') : style.bad(textOf(r, 'state'))],
        ['roots', `${count(textsOf(r, 'root_keys').length, 'key')}, ${textOf(r, 'threshold')} must sign`],
        ...textsOf(r, 'root_keys').map((key): [string, string] => ['', key]),
        ['committed', textOf(r, 'commitment')],
        ['drill', tried],
        ['root_key', textOf(r, 'root_key') + (r['root_key_here'] === true ? '' : style.careful('  (not in this home)'))],
        ['policy', textOf(r, 'policy')],
        ...fork.map((ref): [string, string] => ['fork', style.bad(ref)])
      ]),
      '',
      ...columns(listOf(r, 'manifests').map((m) => [`  manifest ${textOf(m, 'version')}`, `epoch ${textOf(m, 'epoch')}`, count(numberOf(m, 'principals') ?? 0, 'principal'), style.faint(textOf(m, 'ref', 80))]))
    ]
  },

  'root renew': (r, style) => epochLines(r, style, 'renewed:'),

  'root rotate': rotated,

  'root drill': (r, style) => [
    r['done'] === true ? style.good('the next roots work') : style.careful(`${textsOf(r, 'signed').length} of ${textOf(r, 'threshold')} needed next keys have signed`),
    ...textsOf(r, 'signed').map((key) => `  ${style.good('✓')} ${key}`),
    ...textsOf(r, 'missing').map((key) => `  ${style.careful('?')} ${key}`)
  ],

  'root apply': (r, style) => epochLines(r, style, 'in force:'),

  sign: (r, style) => [
    ...textsOf(r, 'summary'),
    ...textsOf(r, 'signed').map((key) => `${style.good('✓')} signed by ${key}`),
    ...textsOf(r, 'outstanding').map((key) => `${style.faint('·')} not by ${key}`),
    '',
    r['wrote'] === true ? style.good(`signed: ${share(r, textsOf(r, 'signed').length)}`) : style.careful('nothing is signed yet: read what it does, then add --yes'),
    // The entry that a domain is named after is its genesis.
    ...r['complete'] === true ? [`complete: diad ${r['entry'] === r['domain'] ? 'init --finish' : 'root apply'} ${textOf(r, 'file')}`] : []
  ],

  'recover root-key': recovered,

  'recover keys': recovered,

  'recover roots': rotated,

  'recover lane': (r, style) => [
    `${style.good('recovered')} the lane ends where both histories agree`,
    ...facts(style, [['lane', textOf(r, 'lane')], ['snapshot', optionalText(r, 'snapshot')], ['manifest', `${textOf(r, 'version')}  ${textOf(r, 'manifest')}`], ['published anew', textsOf(r, 'republished').length === 0 ? 'nothing' : textsOf(r, 'republished').join(', ')]])
  ]
}
