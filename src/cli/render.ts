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
import { amounts, domain, facts, movedLines, named, type Renders, setInWords, statusText, verdictLine } from './render-parts.js'
import type { Style } from './style.js'
import { columns, count, formatBytes, formatMode, formatQuota, group } from './text.js'

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

  init (r, style, args) {
    const name = optionalText(r, 'name')
    const request = optionalText(r, 'request')
    const own = facts(style, [
      ['domain', style.strong(domain(r))],
      // What nobody chose is said to be so.
      ['name', name === 'home' && args['name'] === undefined ? `${name}  ${style.faint('(what it is called here by default; --name NAME says otherwise)')}` : name],
      ['home', optionalText(r, 'home')],
      [request === undefined ? 'roots' : 'commitment', optionalText(r, 'roots')],
      ['root keys', setInWords(fieldsOf(r['needed']))],
      ['next roots', setInWords(fieldsOf(r['next']))]
    ])
    return request === undefined ? own : [
      `${style.careful('not founded yet')}: its roots have to sign ${request}`,
      ...own,
      '',
      `  each root: diad sign --request ${request} --key KEY --yes`,
      `  then here: diad init --finish ${request}`
    ]
  },

  put: (r) => [textOf(r, 'ref')],

  publish: (r, style) => [
    `${style.good(r['visible'] === false ? 'proposed' : 'published')} ${style.strong(textOf(r, 'name'))}  ${style.faint(amounts(r))}`,
    ...facts(style, [['domain', domain(r)], ['ref', textOf(r, 'ref')], ['snapshot', textOf(r, 'snapshot')]]),
    ...reach(r, style)
  ],

  serve: () => [],

  follow: (r, style) => [
    `${style.good('following')} ${named(r)}  ${style.faint(textOf(r, 'mode') + (lease(r) === undefined ? '' : `, content ${lease(r)}`))}`,
    ...goesOnFrom(r),
    ...movedLines(r, style, typed(r), '  ')
  ],

  unfollow: (r) => [`no longer following ${named(r)}`],

  name: (r) => {
    const now = optionalText(r, 'name', 80)
    const before = optionalText(r, 'before', 80)
    return [now === undefined ? `${domain(r)} has no petname here${before === undefined ? '' : ` any more; it was called ${before}`}` : `${domain(r)} is called ${now} here${before === undefined ? '' : `, and no longer ${before}`}`]
  },

  status (r, style) {
    const domains = listOf(r, 'domains')
    const peers = listOf(r, 'peers')
    const founding = fieldsOf(r['founding'] ?? {})
    return [
      ...facts(style, [
        ['home', textOf(r, 'home') + (r['daemon'] === true ? style.good('  (daemon running)') : '')],
        ['domain', r['domain'] === undefined || r['domain'] === null ? r['founding'] === undefined ? 'none (a reader)' : `none yet: ${domain(founding)} waits for signatures of its roots` : domain(r)],
        ...r['founding'] === undefined ? [] : [
          ['each root', `diad sign --request ${optionalText(founding, 'file') ?? 'FILE'} --key KEY --yes`] satisfies [string, string],
          ['then here', `diad init --finish ${optionalText(founding, 'file') ?? 'FILE'}`] satisfies [string, string]
        ],
        ['peer', optionalText(r, 'peer')]
      ]),
      '',
      ...(domains.length === 0 ? ['no domains'] : domainLines(domains, style)),
      ...heldLine(listOf(r, 'held'), style),
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
      ['  content', lease(r)],
      ['  fetched', `${count(numberOf(r, 'blocks') ?? 0, 'block')}, ${formatBytes(numberOf(r, 'bytes') ?? 0)}`]
    ]),
    ...overQuotaLines(r, style),
    ...movedLines(r, style, typed(r), '  '),
    ...(r['code'] === 'peer-unreachable' ? ['  no --peer answered, and nobody else who has it: what is shown was held before'] : []),
    ...(r['code'] === 'unknown-domain' ? ['  nobody who was reached has it; give an address with --peer'] : []),
    ...columns(listOf(r, 'refused').map((x) => [style.bad('  refused'), textOf(x, 'code', 80), `from ${textOf(x, 'peer', 256)}`, optionalText(x, 'ref', 80) ?? '']))
  ],

  ls: (r, style) => columns(listOf(r, 'entries').map((e) => {
    const kind = e['kind'] === 'dir' || e['kind'] === 'link' ? e['kind'] : 'file'
    const name = textOf(e, 'name')
    const target = optionalText(e, 'target')
    const code = optionalText(e, 'code', 80)
    const flag = code === undefined || code === 'accepted' ? '' : style.bad(`  [${code}]`)
    const by = optionalText(e, 'by', 80)
    const alone = e['exported'] === false ? style.careful(`  not exported${by === undefined ? '' : `, by ${by}`}`) : ''
    const size = numberOf(e, 'size')
    const shown = kind === 'dir' ? style.strong(`${name}/`) : kind === 'link' && target !== undefined ? `${name} -> ${target}` : name
    return [formatMode(kind, numberOf(e, 'mode') ?? 0), size === undefined || kind !== 'file' ? '-' : String(size), shown + flag + alone]
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

/** A domain as a person can type it. */
const typed = (r: Fields, name = 'name'): string => optionalText(r, name, 80) ?? domain(r)

/** The domain that one goes on from stays, until its name says so no longer. */
function goesOnFrom (r: Fields): string[] {
  if (r['movedFrom'] === undefined) return []
  const old = optionalText(r, 'before', 80) ?? domain(r, 'movedFrom')
  const called = r['before'] === undefined ? '' : `, which is called ${old} from now on`
  return [`  it goes on from ${domain(r, 'movedFrom')}${called}`, `  that one is still followed, too; when nothing of it is needed any more: diad unfollow ${old}`]
}

/** What is still missing before others see it (A2). */
function reach (r: Fields, style: Style): string[] {
  if (r['exported'] !== false) return []
  const vouch = `diad vouch ${textOf(r, 'lane', 80)}`
  return r['visible'] === false
    ? [style.careful('a proposal: nobody else sees it until a key with publish makes it visible and one with federate exports it'), `  ${vouch}`]
    : [style.careful('not exported: nobody else sees it until a key with federate vouches for it'), `  ${vouch}`]
}

/** `1.2 MiB of 500 MiB`; undefined where there is no quota. */
function lease (r: Fields): string | undefined {
  const quota = numberOf(r, 'quota')
  return quota === undefined ? undefined : `${formatQuota(numberOf(r, 'used') ?? 0)} of ${formatQuota(quota)}`
}

function overQuotaLines (r: Fields, style: Style): string[] {
  return columns(listOf(r, 'overQuota').map((o) => [style.careful('  over quota'), textOf(o, 'name'), `takes ${formatQuota(numberOf(o, 'needs') ?? 0)} or more`]))
}

/** `3 records`, or `3 + 4 records` for two lanes. */
function headSizes (heads: Fields[]): string | undefined {
  const sizes = heads.map((h) => numberOf(h, 'log_size') ?? 0)
  return sizes.length === 0 ? undefined : `${sizes.map(group).join(' + ')} record${sizes.length === 1 && sizes[0] === 1 ? '' : 's'}`
}

function heldLine (held: Fields[], style: Style): string[] {
  if (held.length === 0) return []
  const each = held.slice(0, 8).map((d) => `${named(d)} ${formatBytes((numberOf(d, 'used') ?? 0) + (numberOf(d, 'recordBytes') ?? 0))}`)
  return [`${style.careful('held, not followed:')} ${each.join(', ')}${held.length > 8 ? ` and ${held.length - 8} more` : ''}`]
}

function domainLines (domains: Fields[], style: Style): string[] {
  const lines = [count(domains.length, 'domain')]
  for (const d of domains) {
    const role = d['own'] === true ? 'own' : optionalText(d, 'mode') ?? '-'
    const names = numberOf(d, 'names')
    lines.push(['  ' + style.strong(named(d)), role, statusText(textOf(d, 'status'), textOf(d, 'code'), style), names === undefined ? '' : count(names, 'name')].join('  ').trimEnd())
    const used = numberOf(d, 'used')
    if (used !== undefined) lines.push(`    ${style.faint('content')}  ${lease(d) ?? formatQuota(used)}, records ${formatQuota(numberOf(d, 'recordBytes') ?? 0)}`)
    lines.push(...overQuotaLines(d, style).map((l) => `  ${l}`), ...movedLines(d, style, typed(d), '    '))
    const { wayOut, elsewhere } = d
    // Of a fork of the own domain the words below say the same, with each branch.
    const told = typeof elsewhere === 'object' && elsewhere !== null && fieldsOf(elsewhere)['forked'] === true
    if (typeof wayOut === 'object' && wayOut !== null && !told) {
      const way = fieldsOf(wayOut)
      lines.push(`    ${style.bad(textOf(way, 'why'))}`, `    ${style.careful('way out')}  ${textOf(way, 'command')}`)
    }
    if (typeof elsewhere === 'object' && elsewhere !== null) {
      const found = fieldsOf(elsewhere)
      lines.push(`    ${style.bad(textOf(found, 'text'))}`, ...textsOf(found, 'changes').map((c) => `      ${c}`), `    ${style.careful('way out')}  ${textOf(found, 'hint')}`)
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
  if (fields['event'] === 'signed-elsewhere') {
    return [`${style.bad('signed elsewhere')}  ${textOf(fields, 'text')}`, ...textsOf(fields, 'changes').map((c) => `  ${c}`), `  ${textOf(fields, 'hint')}`]
  }
  if (fields['event'] === 'moved') return [`${style.careful('moved')}  ${domain(fields)}`, ...movedLines(fields, style, domain(fields), '  ')]
  const rest = Object.keys(fields).filter((name) => name !== 'event' && name !== fields['event'] && fields[name] !== null).map((name) => `${style.faint(textOf({ name }, 'name', 40))} ${eventValue(name, fields[name])}`)
  // What the event is named after stands first: `peer 12D3…`, not `peer  peer 12D3…`.
  const own = fields['event']
  const subject = typeof own === 'string' && fields[own] !== undefined ? ` ${eventValue(own, fields[own])}` : ''
  return [[style.strong(textOf(fields, 'event', 40)) + subject, ...rest].join('  ')]
}

/** Domains short, as RULES N1 wants them in lists; lists with commas. */
function eventValue (name: string, value: unknown): string {
  if (name === 'scope' && value === '') return 'everything'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.slice(0, 8).map((v) => eventValue(name, v)).join(', ') + (value.length > 8 ? ` and ${value.length - 8} more` : '')
  if (name.startsWith('domain') && typeof value === 'string' && isReference(value)) return shortDomain(value)
  return textOf({ value: typeof value === 'object' ? JSON.stringify(value) : value }, 'value', 200)
}
