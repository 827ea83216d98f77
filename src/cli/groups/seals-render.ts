/** What domain seal and doctor show to people. */
import type { SealsArgs } from '../../node/commands/seals/types.js'
import { type Fields, listOf, numberOf, optionalText, textOf, textsOf } from '../field.js'
import { domain, facts, named, type Renders, verdictLine } from '../render-parts.js'
import type { Style } from '../style.js'
import { columns, count, formatBytes } from '../text.js'

export const sealsRenders: Renders<SealsArgs> = {
  'domain show': (r, style) => [
    `${style.strong(named(r))}  ${verdictLine(r, style)}`,
    ...facts(style, [
      ['domain', domain(r)],
      ['authority', optionalText(r, 'authority')],
      ['root_key', optionalText(r, 'rootKey')],
      ['policy', optionalText(r, 'policyHash')],
      ['view', `${textOf(r, 'view')}  ${style.faint(`${count(numberOf(r, 'names') ?? 0, 'name')}, ${count(numberOf(r, 'lanes') ?? 0, 'lane')}`)}`],
      ['open to', listOf(r, 'trusted').length === 0 && textsOf(r, 'trusted').length === 0 ? 'everybody' : textsOf(r, 'trusted').join(' ')],
      ['root', optionalText(r, 'root')]
    ]),
    ...columns(listOf(r, 'principals').map((p) => [
      style.faint('  principal'), optionalText(p, 'name', 80) ?? textOf(p, 'id', 64).slice(0, 16), textsOf(p, 'roles').join(' '), textsOf(p, 'prefixes').map((x) => x === '' ? 'everything' : x).join(' ') || 'nothing'
    ])),
    ...sealLines(listOf(r, 'seals'), style)
  ],

  'domain seal': (r, style) => [
    `${style.good('sealed')} ${style.strong(textOf(r, 'name'))}  ${style.faint(`manifest ${textOf(r, 'manifestVersion')} anchors ${count(numberOf(r, 'lanes') ?? 0, 'lane')}${r['anchored'] === true ? '' : ' already'}`)}`,
    ...facts(style, [
      [r['kind'] === 'zfs' ? 'snapshot' : 'copy', textOf(r, 'at')],
      ['manifest', textOf(r, 'manifest')],
      ['view', textOf(r, 'view')]
    ])
  ],

  'domain seals': (r, style) => listOf(r, 'seals').length === 0 ? ['nothing is sealed'] : sealLines(listOf(r, 'seals'), style),

  'domain unseal': (r) => [
    `${textOf(r, 'name')} is free: ${r['left'] === 'kept' ? `nothing of ours holds ${textOf(r, 'at')} any more; \`zfs destroy\` may delete it` : `${textOf(r, 'at')} is removed`}`,
    `What manifest ${textOf(r, 'manifestVersion')} anchors stays anchored: that can't be taken back.`
  ],

  gc: (r, style) => {
    const dry = r['dryRun'] === true
    const { blocks, bytes } = amountOf(r, 'removed')
    const freed = numberOf(r, dry ? 'wasted' : 'freed') ?? 0
    const kept = (r['kept'] ?? {}) as Fields
    const replaced = (r['replaced'] ?? {}) as Fields
    const part = (label: string, of: Fields, name: string): string[] => {
      const { blocks: n, bytes: size } = amountOf(of, name)
      return n === 0 ? [] : [style.faint(`  ${label}: ${count(n, 'block')}, ${formatBytes(size)}`)]
    }
    const waiting = numberOf(replaced, 'waiting') ?? 0
    return [
      blocks === 0 ? 'nothing to collect' : `${dry ? 'would remove' : style.good('removed')} ${count(blocks, 'block')}, ${formatBytes(bytes)}`,
      ...part('given up by their domain', r, 'givenUp'),
      ...part('left by interrupted work', r, 'leftover'),
      ...part('put here and never published', r, 'unpublished'),
      ...freed === 0 ? [] : [dry ? `${formatBytes(freed)} of the store belong to nothing already, and would be freed` : `the store is ${formatBytes(freed)} smaller`],
      ...part('kept: put here and never published (--unpublished)', kept, 'unpublished'),
      ...part('kept by the policy: left by interrupted work', kept, 'leftover'),
      ...waiting === 0 ? [] : [style.faint(`  kept: what ${count(waiting, 'replaced record')} named; it may go when enough others have come since and an anchor settles them (\`diad domain seal\`)`)]
    ]
  },

  doctor: (r, style) => {
    const findings = listOf(r, 'findings')
    const mark = (level: unknown): string => level === 'ok' ? style.good('✓') : level === 'bad' ? style.bad('✗') : style.careful('!')
    const lines = findings.flatMap((f) => {
      const where = optionalText(f, 'where') ?? ''
      const todo = optionalText(f, 'do') ?? ''
      return [`${mark(f['level'])} ${textOf(f, 'what')}${where === '' ? '' : style.faint(`  ${where}`)}`, ...todo === '' ? [] : [`    ${todo}`]]
    })
    const worst = textOf(r, 'code')
    return [...lines, '', worst === 'ok' ? style.good('all is well') : worst === 'bad' ? style.bad('something is wrong') : style.careful('nothing is broken, but look at the warnings')]
  }
}

function amountOf (fields: Fields, name: string): { blocks: number, bytes: number } {
  const amount = (fields[name] ?? {}) as Fields
  return { blocks: numberOf(amount, 'blocks') ?? 0, bytes: numberOf(amount, 'bytes') ?? 0 }
}

function sealLines (seals: ReturnType<typeof listOf>, style: Style): string[] {
  return columns(seals.map((s) => [style.faint('  seal'), style.strong(textOf(s, 'name', 80)), textOf(s, 'kind', 20), `manifest ${textOf(s, 'manifestVersion')}`, textOf(s, 'at'), s['state'] === 'sealed' ? '' : style.bad('[interrupted]')]))
}
