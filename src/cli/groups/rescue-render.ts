/** Rescue: a transient node that acts under a domain: results for people. */
import type { RescueArgs } from '../../node/commands/rescue/types.js'
import { type Fields, listOf, numberOf, textOf, textsOf } from '../field.js'
import { amounts, domain, facts, type Renders } from '../render-parts.js'
import type { Style } from '../style.js'
import { columns, count } from '../text.js'

export const rescueRenders: Renders<RescueArgs> = {
  'rescue start': (r, style) => [
    `${style.good('acting')} under ${style.strong(domain(r))}  ${style.faint(count(numberOf(r, 'names') ?? 0, 'name'))}`,
    ...keyLines(r, style),
    '',
    'Go on with:',
    `  export DIAD_HOME=${shellWord(textOf(r, 'home'))}`,
    '  diad rescue publish PATH --as NAME',
    '  diad rescue end --out FILE'
  ],

  'rescue publish': (r, style) => [
    `${style.good(r['exported'] === true ? 'published' : 'proposed')} ${style.strong(textOf(r, 'name'))}  ${style.faint(amounts(r))}`,
    // Lane and snapshot are what the owner names when this key turns out to be stolen.
    ...facts(style, [['domain', domain(r)], ['ref', textOf(r, 'ref')], ['lane', textOf(r, 'lane')], ['snapshot', textOf(r, 'snapshot')]]),
    ...r['exported'] === true ? [] : ['a proposal: the owner makes it count with `diad vouch`']
  ],

  'rescue status': (r, style) => [
    `${style.strong(domain(r))}  ${style.faint(count(numberOf(r, 'names') ?? 0, 'name'))}`,
    ...keyLines(r, style),
    ...columns(listOf(r, 'lanes').map((l) => [style.faint('lane'), textOf(l, 'lane', 80), `${numberOf(l, 'exported') ?? 0} of ${count(numberOf(l, 'records') ?? 0, 'record')} exported`, textsOf(l, 'names').slice(0, 8).join(', ')]))
  ],

  'rescue end': (r, style) => [
    `${style.good('wrote')} ${textOf(r, 'file')}  ${style.faint(amounts(r))}`,
    `wiped ${textOf(r, 'home')}${textsOf(r, 'left').length > 0 ? ', but for what diad didn\'t make there' : ''}; the owner takes it in with \`diad bundle import\``,
    'If DIAD_HOME names it still: unset DIAD_HOME'
  ]
}

function keyLines (r: Fields, style: Style): string[] {
  const prefixes = textsOf(r, 'prefixes')
  return facts(style, [
    ['home', textOf(r, 'home')],
    ['key', textOf(r, 'key') + (r['keyThere'] === false ? '  (not there now: plug the stick in before the next `diad rescue publish`)' : '')],
    ['principal', textOf(r, 'principal', 80)],
    ['roles', `${textsOf(r, 'roles').join(', ')} (manifest ${numberOf(r, 'manifest') ?? 0})`],
    ['scope', prefixes.length === 0 ? 'nothing' : prefixes.map((p) => p === '' ? 'the whole domain' : p).join(', ')],
    ['counts', r['exports'] === true ? 'at once' : 'when somebody vouches for it']
  ])
}

/** For a line that people copy into a shell. */
function shellWord (text: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(text) ? text : `'${text.replaceAll('\'', '\'\\\'\'')}'`
}
