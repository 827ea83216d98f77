/** Results for people: short, aligned, escaped. One function a command; scripts get the JSON instead. */
import type { CommandArgs, CommandName } from '../node/command.js'
import { shortDomain } from '../substrate/domain-id.js'
import { isReference } from '../substrate/reference.js'
import { type Fields, fieldsOf, listOf, numberOf, optionalText, textOf, textsOf } from './field.js'
import { admissionRenders } from './groups/admission-render.js'
import { authorityRenders } from './groups/authority-render.js'
import { bundlesRenders } from './groups/bundles-render.js'
import { conformanceRenders } from './groups/conformance.js'
import { recordsRenders } from './groups/records-render.js'
import { rescueRenders } from './groups/rescue-render.js'
import { rootsRenders } from './groups/roots-render.js'
import { sealsRenders } from './groups/seals-render.js'
import { amounts, domain, facts, named, type Renders, statusText, verdictLine } from './render-parts.js'
import type { Style } from './style.js'
import { columns, count, formatBytes, formatMode, group } from './text.js'

/** The lines for `result`; of a list of results, those of each. */
export function renderResult (command: CommandName, result: unknown, args: object, style: Style): string[] {
  if (result === undefined || result === null) return []
  const all = Array.isArray(result) ? result as unknown[] : [result]
  if (command === 'sync' && all.length === 0) return ['nothing is followed yet: diad follow DOMAIN']
  return all.flatMap((one) => RENDER[command](fieldsOf(one), style, fieldsOf(args)))
}

const RENDER: Renders<CommandArgs> = {
  ...authorityRenders,
  ...rootsRenders,
  ...bundlesRenders,
  ...recordsRenders,
  ...admissionRenders,
  ...sealsRenders,
  ...rescueRenders,
  ...conformanceRenders,

  init: (r, style) => facts(style, [
    ['domain', style.strong(domain(r))],
    ['name', optionalText(r, 'name')],
    ['home', optionalText(r, 'home')],
    ['roots', optionalText(r, 'roots')]
  ]),

  put: (r) => [textOf(r, 'ref')],

  publish: (r, style) => [
    `${style.good('published')} ${style.strong(textOf(r, 'name'))}  ${style.faint(amounts(r))}`,
    ...facts(style, [['domain', domain(r)], ['ref', textOf(r, 'ref')], ['snapshot', textOf(r, 'snapshot')]])
  ],

  serve: () => [],

  follow: (r, style) => [`${style.good('following')} ${named(r)}  ${style.faint(textOf(r, 'mode'))}`],

  unfollow: (r) => [`no longer following ${named(r)}`],

  status (r, style) {
    const domains = listOf(r, 'domains')
    const peers = listOf(r, 'peers')
    return [
      ...facts(style, [
        ['home', textOf(r, 'home') + (r['daemon'] === true ? style.good('  (daemon running)') : '')],
        ['domain', r['domain'] === undefined || r['domain'] === null ? 'none (a reader)' : domain(r)],
        ['peer', optionalText(r, 'peer')]
      ]),
      '',
      ...(domains.length === 0 ? ['no domains'] : domainLines(domains, style)),
      '',
      ...(peers.length === 0 ? ['no peers'] : [count(peers.length, 'peer'), ...columns(peers.map((p) => ['  ' + textOf(p, 'peer', 80), textsOf(p, 'addresses').join(' ')]))])
    ]
  },

  sync: (r, style) => [
    `${named(r)}  ${verdictLine(r, style)}`,
    ...facts(style, [
      ['  snapshot', optionalText(r, 'snapshot')],
      ['  heads', headSizes(listOf(r, 'heads'))],
      ['  names', group(numberOf(r, 'names') ?? 0)],
      ['  fetched', `${count(numberOf(r, 'blocks') ?? 0, 'block')}, ${formatBytes(numberOf(r, 'bytes') ?? 0)}`]
    ]),
    ...(r['code'] === 'unknown-domain' ? ['  nobody who was reached has it; give an address with --peer'] : []),
    ...columns(listOf(r, 'refused').map((x) => [style.bad('  refused'), textOf(x, 'code', 80), `from ${textOf(x, 'peer', 256)}`, optionalText(x, 'ref', 80) ?? '']))
  ],

  ls: (r, style) => columns(listOf(r, 'entries').map((e) => {
    const kind = e['kind'] === 'dir' || e['kind'] === 'link' ? e['kind'] : 'file'
    const name = textOf(e, 'name')
    const target = optionalText(e, 'target')
    const code = optionalText(e, 'code', 80)
    const flag = code === undefined || code === 'accepted' ? '' : style.bad(`  [${code}]`)
    const size = numberOf(e, 'size')
    const shown = kind === 'dir' ? style.strong(`${name}/`) : kind === 'link' && target !== undefined ? `${name} -> ${target}` : name
    return [formatMode(kind, numberOf(e, 'mode') ?? 0), size === undefined || kind !== 'file' ? '-' : String(size), shown + flag]
  }), [1]),

  cat: () => [],

  checkout: (r, style, args) => [`${style.good('checked out')} ${textOf(args, 'target')} to ${textOf(r, 'dest')}  ${style.faint(amounts(r))}`],

  verify (r, style, args) {
    const checks = args['explain'] === true ? listOf(r, 'checks') : []
    return [
      verdictLine(r, style),
      ...columns(checks.map((c) => ['  ' + (c['ok'] === true ? style.good('✓') : style.bad('✗')), style.faint(textOf(c, 'rule', 20)), textOf(c, 'text')])),
      ...textsOf(r, 'missing').map((ref) => `  missing ${ref}`)
    ]
  }
}

/** `3 records`, or `3 + 4 records` for two lanes. */
function headSizes (heads: Fields[]): string | undefined {
  const sizes = heads.map((h) => numberOf(h, 'log_size') ?? 0)
  return sizes.length === 0 ? undefined : `${sizes.map(group).join(' + ')} record${sizes.length === 1 && sizes[0] === 1 ? '' : 's'}`
}

function domainLines (domains: Fields[], style: Style): string[] {
  const lines = [count(domains.length, 'domain')]
  for (const d of domains) {
    const role = d['own'] === true ? 'own' : optionalText(d, 'mode') ?? '-'
    const names = numberOf(d, 'names')
    lines.push(['  ' + style.strong(named(d)), role, statusText(textOf(d, 'status'), textOf(d, 'code'), style), names === undefined ? '' : count(names, 'name')].join('  ').trimEnd())
    const wayOut = d['wayOut']
    if (typeof wayOut === 'object' && wayOut !== null) {
      const way = fieldsOf(wayOut)
      lines.push(`    ${style.bad(textOf(way, 'why'))}`, `    ${style.careful('way out')}  ${textOf(way, 'command')}`)
    }
    lines.push(...columns(listOf(d, 'heads').map((h) => [style.faint('    head'), textOf(h, 'snapshot', 80), count(numberOf(h, 'log_size') ?? 0, 'record')])))
  }
  return lines
}

/** One line for something that happened, with what it says about itself: `peer  12D3…  connected`. */
export function renderEvent (event: object, style: Style): string[] {
  const fields = fieldsOf(event)
  if (fields['event'] === 'listening') {
    return [`${style.good('listening')} as ${textOf(fields, 'peer', 80)}`, ...textsOf(fields, 'addresses').map((a) => `  ${a}`)]
  }
  const rest = Object.keys(fields).filter((name) => name !== 'event' && name !== fields['event'] && fields[name] !== null).map((name) => `${style.faint(textOf({ name }, 'name', 40))} ${eventValue(name, fields[name])}`)
  // What the event is named after stands first: `peer 12D3…`, not `peer  peer 12D3…`.
  const own = fields['event']
  const subject = typeof own === 'string' && fields[own] !== undefined ? ` ${eventValue(own, fields[own])}` : ''
  return [[style.strong(textOf(fields, 'event', 40)) + subject, ...rest].join('  ')]
}

/** Domains short, as RULES N1 wants them in lists; lists with commas. */
function eventValue (name: string, value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.slice(0, 8).map((v) => eventValue(name, v)).join(', ') + (value.length > 8 ? ` and ${value.length - 8} more` : '')
  if (name.startsWith('domain') && typeof value === 'string' && isReference(value)) return shortDomain(value)
  return textOf({ value: typeof value === 'object' ? JSON.stringify(value) : value }, 'value', 200)
}
