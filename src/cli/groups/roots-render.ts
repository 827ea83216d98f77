/** What root, sign and recover say to people. */
import type { RootsArgs } from '../../node/commands/roots/types.js'
import { type Fields, fieldsOf, listOf, numberOf, optionalText, textOf, textsOf } from '../field.js'
import { domain, facts, lossLines, type Render, type Renders, setInWords } from '../render-parts.js'
import type { Style } from '../style.js'
import { columns, count } from '../text.js'

/** Hex digits that a key is shown by: enough to give back to a command. */
const DIGITS = 12

/** `1 of the 2 keys that are needed`; with more than that, how many they are. */
function share (r: Fields, signed: number): string {
  const needed = numberOf(r, 'threshold')
  if (needed === undefined) return count(signed, 'key')
  return signed > needed ? `by ${count(signed, 'key')}, more than the ${needed} that ${needed === 1 ? 'is' : 'are'} needed` : `by ${signed} of the ${needed} ${needed === 1 ? 'key that is' : 'keys that are'} needed`
}

/** `usb-b/root (0444abcd1234)`, or the digits alone. */
function keyText (r: Fields, key: string): string {
  const name = optionalText(fieldsOf(r['names'] ?? {}), key, 80)
  return name === undefined ? `${key.slice(0, DIGITS)}…` : `${name} (${key.slice(0, DIGITS)})`
}

/** Keys in the order of their names, so that `usb-a` stands before `usb-b`. */
function keyTexts (r: Fields, field: string): string[] {
  return textsOf(r, field).map((key) => keyText(r, key)).sort()
}

/** The words of a request. Whole keys are what is compared, so only those that have a name here are shortened. */
function summaryText (r: Fields): string[] {
  const names = fieldsOf(r['names'] ?? {})
  return textsOf(r, 'summary').map((line) => line.replace(/\b[0-9a-f]{64}\b/g, (key) => names[key] === undefined ? key : keyText(r, key)))
}

/** A day as the person's calendar has it. */
function dayOf (at: string): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? at : date.toLocaleDateString('sv-SE')
}

/** `applied`: `request` was brought into force, so nobody has to sign it any more. */
function epochLines (r: Fields, style: Style, what: string, applied = false): string[] {
  const request = optionalText(r, 'request')
  const waiting = r['manifest'] === null && request !== undefined && !applied
  const summary = summaryText(r).map((line) => `  ${line}`)
  const manifest = optionalText(r, 'manifest')
  return [
    waiting ? `${style.careful('waits for signatures')} ${request}` : `${style.good(what)} epoch ${textOf(r, 'epoch')}${applied && r['manifest'] === null ? style.careful('; it waits for its first manifest, from the home with the root_key') : ''}`,
    ...summary,
    ...facts(style, [
      ['entry', textOf(r, 'entry')],
      ['manifest', manifest === undefined ? undefined : `${textOf(r, 'version')}  ${manifest}`],
      ['signed', textsOf(r, 'signed').length === 0 && !waiting ? undefined : share(r, textsOf(r, 'signed').length)]
    ]),
    ...lossLines(r, style),
    ...waiting ? ['', `  each root: diad sign --request ${request} --key KEY --yes`, `  then here: diad root apply ${request}`] : []
  ]
}

/** A move, or the request for one. */
const moved: Render = (r, style) => {
  const request = optionalText(r, 'request')
  const waiting = r['done'] !== true && request !== undefined
  return [
    waiting ? `${style.careful('waits for signatures')} ${request}` : `${style.good('said')} to all followers: it goes on as ${style.strong(domain(r, 'to'))}`,
    ...summaryText(r).map((line) => `  ${line}`),
    ...facts(style, [['move', textOf(r, 'move')], ['signed', textsOf(r, 'signed').length === 0 && !waiting ? undefined : share(r, textsOf(r, 'signed').length)]]),
    ...waiting ? ['', `  each root: diad sign --request ${request} --key KEY --yes`, `  then here: diad root apply ${request}`] : ['', `  each follower accepts it by hand: diad follow ${domain(r, 'to')} --moved-from ${domain(r)}`]
  ]
}

const rotated: Render = (r, style) => [
  ...epochLines(r, style, 'rotated to'),
  ...facts(style, [['next roots', setInWords(fieldsOf(r['next'] ?? {}))], ['commitment', optionalText(r, 'newRoots')]])
]

const recovered: Render = (r, style) => [
  ...epochLines(r, style, 'recovered in'),
  ...facts(style, [['principal', optionalText(r, 'principal')], ['closed', textsOf(r, 'closed').length === 0 ? undefined : textsOf(r, 'closed').join(' ')]])
]

/** Only the commitment is signed; what it stands for is told where something here opens it. */
function nextLine (r: Fields): string[] {
  const known = setInWords(fieldsOf(r['next'] ?? {}))
  if (known !== undefined) return [`The next root set that it commits to: ${known} (by the next-commitment.json here, which opens it).`]
  // Who goes on under the same roots commits to nothing new.
  return textsOf(r, 'summary').some((line) => line.includes('commits to')) ? ['The file doesn\'t say how many keys that next set has; a next-commitment.json beside it or beside the key would.'] : []
}

function notSigned (r: Fields): string {
  const key = r['key'] === null || r['key'] === undefined ? undefined : fieldsOf(r['key'])
  if (key === undefined) return 'nothing is signed yet: read what it does, then add --yes'
  const name = keyText(r, textOf(key, 'publicKey', 80))
  if (key['may'] !== 'sign') return `nothing is signed: ${name} is none of the keys that have to sign this`
  return key['signed'] === true ? `${name} has signed this already: pass the file on` : `nothing is signed yet: ${name} may sign this; read what it does, then add --yes`
}

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

  'root drill' (r, style) {
    const signed = textsOf(r, 'signed')
    const now = `${signed.length} of the ${textOf(r, 'threshold')} next keys that are needed signed now`
    return [
      signed.length >= (numberOf(r, 'threshold') ?? Infinity) ? style.good('the next roots work') : r['done'] === true ? `${style.good('enough next roots work')}: ${now}, the others lately` : style.careful(`${now}: try the others, too`),
      ...columns([
        ...keyTexts(r, 'signed').map((key) => [`  ${style.good('✓')} ${key}`, 'signed now']),
        ...listOf(r, 'earlier').map((e) => [`  ${style.faint('·')} ${keyText(r, textOf(e, 'key', 80))}`, `not tried now, signed on ${dayOf(textOf(e, 'at', 40))}`]),
        ...keyTexts(r, 'missing').map((key) => [`  ${style.careful('?')} ${key}`, 'never tried'])
      ])
    ]
  },

  'root move': moved,

  'root apply': (r, style, args) => r['to'] !== undefined ? moved(r, style, args) : epochLines(r, style, r['manifest'] === null ? 'taken in:' : 'in force:', true),

  sign: (r, style) => [
    ...summaryText(r),
    ...nextLine(r),
    ...keyTexts(r, 'signed').map((key) => `${style.good('✓')} signed by ${key}`),
    ...keyTexts(r, 'outstanding').map((key) => `${style.faint('·')} not by ${key}`),
    '',
    r['wrote'] === true ? style.good(`signed ${share(r, textsOf(r, 'signed').length)}`) : style.careful(notSigned(r)),
    // The entry that a domain is named after is its genesis.
    ...r['complete'] === true ? [`complete: diad ${r['entry'] === r['domain'] ? 'init --finish' : 'root apply'} ${textOf(r, 'file')}`] : []
  ],

  'recover root-key': recovered,

  'recover keys': recovered,

  'recover roots': rotated,

  'recover lane': (r, style) => [
    `${style.good('recovered')} the lane ends where both histories agree`,
    ...facts(style, [['lane', textOf(r, 'lane')], ['snapshot', optionalText(r, 'snapshot')], ['manifest', `${textOf(r, 'version')}  ${textOf(r, 'manifest')}`], ['published anew', textsOf(r, 'republished').length === 0 ? 'nothing' : textsOf(r, 'republished').join(', ')]]),
    ...listOf(r, 'left').map((x) => `  left ${textOf(x, 'name')}: ${textOf(x, 'code', 40) === 'erased' ? 'was erased, and stays so' : 'was never valid: the key had no right to it'}`)
  ]
}
