import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Linter } from 'eslint'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrivalTimes, percentile } from '../../sim/report/arrivals.js'
import { clientSource } from '../../sim/report/client-source.js'
import { createKit } from '../../sim/report/client/kit.js'
import { createKnowledge } from '../../sim/report/client/knowledge.js'
import type { ReportData } from '../../sim/report/data.js'
import type { Page } from '../../sim/report/dom.js'
import { escapeHtml, html, jsonForScript, plain } from '../../sim/report/escape.js'
import { formatBytes, formatClock, formatCount, formatSpan } from '../../sim/report/format.js'
import { layoutNodes } from '../../sim/report/layout.js'
import { PALETTE, type Colour } from '../../sim/report/palette.js'
import { renderReport } from '../../sim/report/report.js'
import { summarise } from '../../sim/report/summarise.js'
import type { RunResult, TraceEvent } from '../../sim/trace.js'
import { findBrowser, openTab, type Tab } from './browser.js'
import { hostileRun, largeRun, sampleRun } from './sample-run.js'

const sample = sampleRun()
const page = renderReport(sample)
const hostile = renderReport(hostileRun())
const dataOf = (text: string): ReportData => JSON.parse(/id="run-data">([^<]*)</.exec(text)?.[1] ?? '')
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64')
const quiet: RunResult = { ...sample, trace: [], violations: [], status: 'passed' }

/** Opening tags outside of scripts and styles, with a check that every element is closed in order. */
function tags (text: string): Array<{ readonly name: string, readonly attributes: Map<string, string>, readonly inner: string }> {
  const bare = text.replace(/(<(script|style)\b[^>]*>)[\s\S]*?<\/\2>/g, '$1</$2>')
  const empty = new Set(['meta', 'input', 'link', 'br', 'img'])
  const open: string[] = []
  const found = []
  for (const match of bare.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<]*")?)*)\s*(\/?)>/g)) {
    const [all, closing, name = '', attributes = '', self] = match
    if (closing === '/') expect(open.pop()).toBe(name)
    else {
      found.push({ name, attributes: new Map([...attributes.matchAll(/([a-zA-Z-]+)(?:="([^"]*)")?/g)].map(([, key = '', value = '']) => [key, value])), inner: bare.slice(match.index + all.length, match.index + all.length + 400).split(`</${name}>`)[0] ?? '' })
      if (!empty.has(name) && self !== '/') open.push(name)
    }
  }
  expect(open).toEqual([])
  // Every < of the page begins one of the tags that were read, or the doctype.
  expect(bare.match(/</g)?.length).toBe(bare.match(/<\/?[a-zA-Z][a-zA-Z0-9]*(?:\s+[a-zA-Z-]+(?:="[^"<]*")?)*\s*\/?>/g)!.length + 1)
  return found
}

describe('the page', () => {
  it('is equal for equal runs', () => expect(renderReport(sampleRun())).toBe(page))

  it('names what it is about', () => {
    for (const text of [sample.scenario, sample.shows, sample.digest, 'Failed', '10 min 00 s', formatCount(sample.steps), 'publish-is-never-lost', 'line 52', 'signature-invalid', '1.08 MiB']) expect(page).toContain(text)
  })

  it.each([['sample', page], ['hostile', hostile], ['digest only', renderReport(quiet)]])('%s: may run and load nothing but its own script and style', (_, text) => {
    const [script, style] = [/<script>([\s\S]*)<\/script>/.exec(text)?.[1] ?? '', /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? '']
    const all = tags(text)
    const policy = all.find(tag => tag.attributes.get('http-equiv') === 'Content-Security-Policy')?.attributes.get('content')
    expect(policy?.replaceAll('&#39;', "'")).toBe(`default-src 'none'; script-src 'sha256-${sha256(script)}'; style-src 'sha256-${sha256(style)}'; base-uri 'none'; form-action 'none'`)
    for (const { attributes } of all) {
      for (const [name, value] of attributes) {
        expect(name).not.toMatch(/^(on|src|style$|action|formaction)/)
        if (name === 'href') expect(value).toMatch(/^#/)
      }
    }
    expect(style).not.toMatch(/url\(|@import/)
    expect(all.filter(tag => tag.name === 'script').length).toBe(text.includes('run-data">') ? 2 : 1)
  })

  it.each([['sample', page], ['hostile', hostile], ['digest only', renderReport(quiet)]])('%s: can be read without seeing it', (_, text) => {
    const all = tags(text)
    const ids = all.map(tag => tag.attributes.get('id')).filter(id => id !== undefined)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { name, attributes, inner } of all) {
      if (name === 'th') expect(attributes.get('scope')).toMatch(/^(row|col)$/)
      if (name === 'table') expect(inner).toMatch(/^<caption/)
      if (name === 'button') expect(attributes.get('aria-label') ?? inner).not.toBe('')
      if (name === 'input') expect(attributes.get('aria-label')).toBeTruthy()
      if (name === 'label') expect(inner.replace(/<select[\s\S]*/, '').replace(/<[^>]*>/g, '')).not.toBe('')
      if (name === 'select') expect(text).toMatch(new RegExp(`<label[^>]*>[^/]*(</span>)?<select id="${attributes.get('id') ?? '?'}"`))
      if (name === 'svg') expect(attributes.has('aria-label') || attributes.get('aria-hidden') === 'true').toBe(true)
      for (const key of ['aria-labelledby', 'href']) if (attributes.has(key)) expect(ids).toContain(attributes.get(key)?.replace('#', ''))
    }
  })

  it('says so when the trace was not kept', () => {
    const text = renderReport(quiet)
    expect(text).toContain('kept the digest of its trace only')
    expect(text).not.toContain('id="scrubber"')
  })

  it('shows a run without nodes, links, domains or cost', () => {
    const cost = { ...sample.cost, byKind: [], byNode: [] }
    tags(renderReport({ ...sample, nodes: [], links: [], domains: [], cost }))
  })
})

describe('hostile texts', () => {
  it('stay texts', () => {
    expect(hostile).not.toContain('<script>alert')
    expect(hostile).not.toContain('<img')
    expect(hostile).not.toMatch(/[\u202a-\u202e\u2028\u2029]/)
    expect(hostile.isWellFormed()).toBe(true)
    expect(dataOf(hostile).nodes[6]?.name).toContain('</script>')
  })

  it('names like those of every object are names', () => {
    const names = ['__proto__', 'constructor', 'toString']
    const trace = names.flatMap((name, i): TraceEvent[] => [
      { t: i, kind: 'published', node: name, domain: '__proto__', lane: '', head: '', name, logseq: i, update: i },
      { t: i, kind: 'view', node: name, domain: '__proto__', view: '00', logseq: i, names: 1, by: '', brought: [] },
      { t: i, kind: 'refused', node: name, peer: '__proto__', domain: '', code: 'constructor', ref: '' }
    ])
    const { data, gathered } = summarise({ ...sample, trace, domains: [{ name: '__proto__', id: 'x' }], nodes: names.map(name => ({ name, kind: 'publisher', adversary: '', owns: '__proto__', follows: [] })) })
    expect(data.views.map(row => row[1])).toEqual([0, 1, 2])
    expect(gathered.refusalTotals.map(entry => entry.count)).toEqual([1, 1, 1])
  })

  it.each([
    ['a\u0000b', 'a\\u{0}b'], ['\u202egnp.exe', '\\u{202e}gnp.exe'], ['zero\u200bwidth', 'zero\\u{200b}width'], ['\ud800', '\ufffd'], ['line\nline', 'line\\u{a}line'], ['žluťoučký', 'žluťoučký'], ['🦉', '🦉']
  ])('%j is shown as %j', (text, shown) => expect(plain(text)).toBe(shown))

  it('any text survives HTML and JSON', () => fc.assert(fc.property(fc.string({ unit: 'binary' }), text => {
    expect(escapeHtml(text)).not.toMatch(/[<>"'`]/)
    expect(html`<b title="${text}">${text}</b>`.markup.match(/[<>]/g)?.length).toBe(4)
    expect(plain(text, 20).length).toBeLessThanOrEqual(20)
    const json = jsonForScript({ text })
    expect(json).not.toMatch(/[<>&\u2028\u2029]/)
    expect(JSON.parse(json)).toEqual({ text })
  })))
})

describe('the script', () => {
  it('uses nothing but the window', () => {
    const messages = new Linter().verify(clientSource(), { languageOptions: { ecmaVersion: 2023, sourceType: 'script', globals: { window: 'readonly' } }, rules: { 'no-undef': 'error' } })
    expect(messages.map(message => message.message)).toEqual([])
  })
})

describe('layout', () => {
  const ring = (count: number): Array<[number, number]> => Array.from({ length: count }, (_, i) => [i, (i * 7 + 1) % count])
  const grouped = (count: number, groups: number): Array<{ group: number }> => Array.from({ length: count }, (_, i) => ({ group: i % groups }))

  it.each([[1, 1], [2, 2], [12, 3], [60, 5], [61, 4], [400, 7], [1000, 1000], [1000, 1]])('%i nodes in %i groups stand apart, whole, inside', (count, groups) => {
    for (const narrow of [false, true]) {
      const { box, radius, points } = layoutNodes(grouped(count, groups), ring(count), narrow)
      expect(points.length).toBe(count)
      for (const [x, y] of points) {
        expect(Number.isInteger(x) && Number.isInteger(y)).toBe(true)
        expect(x >= radius && x <= box.width - radius && y >= radius && y <= box.height - radius).toBe(true)
      }
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < i; j++) {
          const [[ax = 0, ay = 0], [bx = 0, by = 0]] = [points[i] ?? [], points[j] ?? []]
          if (Math.abs(ax - bx) < 2 * radius && Math.abs(ay - by) < 2 * radius) expect.fail(`${i} and ${j} overlap`)
        }
      }
    }
  })

  it('lets no two of any small federation overlap', () => fc.assert(fc.property(
    fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 9 }), fc.array(fc.tuple(fc.nat(59), fc.nat(59)), { maxLength: 80 }), fc.boolean(), (count, groups, links, narrow) => {
      const { radius, points } = layoutNodes(grouped(count, groups), links.map(([a, b]): [number, number] => [a % count, b % count]), narrow)
      points.forEach(([x, y], i) => points.slice(0, i).forEach(([a, b]) => expect(Math.abs(x - a) >= 2 * radius || Math.abs(y - b) >= 2 * radius).toBe(true)))
    }), { numRuns: 30 }))

  it('is the same on every machine', () => {
    const { points } = layoutNodes(grouped(12, 3), ring(12), false)
    expect(createHash('sha256').update(JSON.stringify(points)).digest('hex').slice(0, 16)).toBe('661f430b9e50a83f')
  })
})

describe('figures', () => {
  const published = (...updates: number[]): Array<{ update: number }> => updates.map(update => ({ update }))
  const views = (...rows: Array<[number, ...number[]]>): Array<{ t: number, brought: number[] }> => rows.map(([t, ...brought]) => ({ t, brought }))
  it.each([
    ['one by one', published(1, 2), views([11, 1], [25, 2]), [11, 25]],
    ['two at once', published(1, 2), views([30, 2, 1]), [30, 30]],
    ['never', published(1), views([11]), [-1]],
    ['no view', published(1), [], [-1]],
    ['what is older in the log and comes later', published(7, 8), views([21, 8], [40, 7]), [40, 21]],
    ['twice, after a disk was set back: the first counts', published(1), views([11, 1], [30, 1]), [11]],
    ['of another domain, or not drawn', published(2), views([11, 1, 2, 3]), [11]]
  ])('arrivals: %s', (_, updates, seen, times) => expect(arrivalTimes(updates, seen)).toEqual(times))

  it('a newer record of one side of a partition is not taken for an older one of the other', () => {
    const nodes = ['home', 'laptop', 'bob'].map((name, i) => ({ name, kind: i < 2 ? 'publisher' as const : 'mirror' as const, adversary: '', owns: i < 2 ? 'd' : '', follows: i < 2 ? [] : ['d'] }))
    const say = (t: number, node: string, logseq: number, update: number): TraceEvent => ({ t, kind: 'published', node, domain: 'd', lane: '', head: '', name: 'a', logseq, update })
    const see = (t: number, node: string, logseq: number, brought: number[]): TraceEvent => ({ t, kind: 'view', node, domain: 'd', view: `${t}`, logseq, names: 1, by: '', brought })
    const trace = [say(10, 'home', 1, 1), see(10, 'home', 1, []), say(20, 'laptop', 5, 2), see(20, 'laptop', 5, []), see(30, 'bob', 5, [2]), see(90, 'bob', 5, [1]), see(90, 'laptop', 5, [1])]
    const { data, domains } = summarise({ ...sample, nodes, domains: [{ name: 'd', id: 'x' }], trace })
    const window = { matchMedia: () => ({ matches: false }) } as unknown as Page
    const knowledge = createKnowledge(createKit(window, { arrivalTimes, percentile, formatClock, formatCount, formatSpan }), data)
    const held = (t: number): number[] => nodes.map((_, i) => knowledge.at(i, 0, t).held)
    expect([held(15), held(30), held(90)]).toEqual([[1, 0, 0], [1, 1, 1], [1, 2, 2]])
    expect(domains[0]).toMatchObject({ publishers: 2, followers: 1, updates: 2, arrived: 3, missing: 1, max: 80 })
  })

  it('percentiles are those of the meter', () => {
    expect([percentile([1, 2, 3, 4], 500), percentile([1, 2, 3, 4], 950), percentile([7], 950), percentile([], 500)]).toEqual([3, 4, 7, -1])
  })

  it.each([[420, '420 µs'], [1_500, '1.50 ms'], [12_300, '12.3 ms'], [999_900, '1.00 s'], [3_210_000, '3.21 s'], [59_990_000, '1 min 00 s'], [243_000_000, '4 min 03 s'], [7_380_000_000, '2 h 03 min'], [273_600_000_000, '3 d 04 h']])('%i µs is %s', (span, text) => expect(formatSpan(span)).toBe(text))
  it('clock, bytes, counts', () => {
    expect([formatClock(243_214_999), formatClock(90_061_000_000), formatBytes(1536), formatBytes(1023), formatCount(1_234_567)]).toEqual(['0:04:03.214', '1 d 1:01:01.000', '1.50 KiB', '1023 B', '1,234,567'])
  })
})

describe('colours', () => {
  const channel = (hex: string): number => {
    const c = parseInt(hex, 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }
  const luminance = (colour: string): number => 0.2126 * channel(colour.slice(1, 3)) + 0.7152 * channel(colour.slice(3, 5)) + 0.0722 * channel(colour.slice(5, 7))
  const contrast = (a: string, b: string): number => {
    const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
    return (light + 0.05) / (dark + 0.05)
  }
  const texts: Colour[] = ['ink', 'quiet', 'accent', 'good', 'bad']
  const shapes: Colour[] = ['rule', 'know', 'other', 'proof', 'publisher', 'mirror', 'follower', 'reader', 'witness', 'adversary']
  it.each([...texts.map(name => [name, 4.5] as const), ...shapes.map(name => [name, 3] as const)])('%s has a contrast of %d by day and by night', (name, least) => {
    for (const side of [0, 1] as const) {
      for (const ground of ['paper', 'card'] as const) expect(contrast(PALETTE[name][side], PALETTE[ground][side])).toBeGreaterThanOrEqual(least)
    }
  })
})

describe('a big run', () => {
  const large = largeRun()
  const text = renderReport(large)

  it('stays below 8 MB and says what it left out', () => {
    expect(large.trace.length).toBeGreaterThan(200_000)
    expect(Buffer.byteLength(text)).toBeLessThan(8_000_000)
    expect(text).toContain('messages are drawn, evenly chosen.')
    expect(text).toContain('without names and without idle links')
  })

  it('thins views evenly, and keeps the last of each node', () => {
    const trace = Array.from({ length: 200_000 }, (_, i): TraceEvent => ({ t: i * 50, kind: 'view', node: sample.nodes[i % 12]?.name ?? '', domain: 'parish', view: String(i), logseq: i, names: 1, by: 'self', brought: [i] }))
    const { data, leftOut } = summarise({ ...sample, end: 10_000_000, trace })
    expect(data.views.length).toBeLessThanOrEqual(80_000)
    expect(data.views.slice(-12).map(row => row[3])).toEqual(trace.slice(-12).map(event => event.kind === 'view' ? event.logseq : -1))
    expect(leftOut.join()).toContain('of 200,000 changes of a view are drawn')
    // What the views that are not drawn brought has come all the same.
    expect(new Set(data.views.flatMap(row => row.slice(7))).size).toBe(200_000)
  })

  it('draws as many publications as their arrivals have room', () => {
    const updates = Array.from({ length: 600 }, (_, i) => i)
    const trace = [
      ...updates.map((update): TraceEvent => ({ t: update, kind: 'published', node: 'node-0', domain: 'domain-0', lane: '', head: '', name: 'a', logseq: update, update })),
      ...updates.slice(0, 500).map((n): TraceEvent => ({ t: 1000, kind: 'view', node: `node-${n}`, domain: 'domain-0', view: '0', logseq: 600, names: 1, by: 'pull', brought: updates }))
    ]
    const { data, leftOut } = summarise({ ...large, trace })
    expect(leftOut.join()).toContain('300 of 600 publications are drawn')
    expect(new Set(data.views.flatMap(row => row.slice(7)))).toEqual(new Set(data.published.map(row => row[5])))
  })

  it('thins even a run in which every node knows every domain', () => {
    const trace = Array.from({ length: 120_000 }, (_, i): TraceEvent => ({ t: i, kind: 'view', node: `node-${i % 1000}`, domain: `domain-${Math.floor(i / 1000)}`, view: '0', logseq: 1, names: 1, by: 'self', brought: [] }))
    const { data, leftOut } = summarise({ ...large, trace })
    expect(data.views.length).toBeLessThanOrEqual(80_000)
    expect(leftOut.join()).toContain('Only the last view of each node')
  })
})

const binary = findBrowser()
if (binary === undefined) console.warn('report in a browser: skipped, no Chromium was found (set CHROMIUM to its path)')

describe.skipIf(binary === undefined)('in a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'diad-report-'))
  const address = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return pathToFileURL(join(folder, name)).href
  }
  let tab: Tab
  beforeAll(async () => { tab = await openTab(binary ?? '') }, 60_000)
  afterAll(async () => {
    await tab?.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const drawn = (): Promise<unknown> => tab.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))')
  const open = async (text: string, width = 1280, reducedMotion = false): Promise<void> => {
    tab.faults.length = 0
    await tab.look({ width, height: 900, dark: false, reducedMotion })
    await tab.open(address('report.html', text))
    await drawn()
  }
  const clock = (): Promise<string> => tab.evaluate("document.getElementById('clock').textContent")

  it.each([['sample', page, 1280], ['sample', page, 400], ['hostile', hostile, 1280], ['hostile', hostile, 400], ['digest only', renderReport(quiet), 400]])('%s runs without a fault, as wide as the window', async (_, text, width) => {
    await open(text, width)
    expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(width)
    expect(await tab.evaluate("document.scripts.length + ' ' + document.images.length")).toBe(`${text.includes('run-data">') ? 2 : 1} 0`)
    expect(tab.faults).toEqual([])
  })

  it('is played, stepped and jumped by keyboard', async () => {
    await open(page)
    await tab.press('ArrowRight')
    await drawn()
    expect(await clock()).toBe('0:00:03.000')
    await tab.press('.')
    await drawn()
    expect(await clock()).toBe(formatClock(dataOf(page).log.find(row => row[0] > 3_000_000 && row[1] !== 2)?.[0] ?? 0))
    await tab.press(' ')
    expect(await tab.evaluate("new Promise(done => { const f = () => document.getElementById('clock').textContent > '0:00:12' ? done('moved') : requestAnimationFrame(f); f() })")).toBe('moved')
    await tab.press(' ')
    await drawn()
    expect(await tab.evaluate("document.getElementById('play-button').getAttribute('aria-label')")).toBe('Play')
    expect(tab.faults).toEqual([])
  })

  it('plays in steps for people who asked for less motion', async () => {
    await open(page, 1280, true)
    await tab.press(' ')
    expect(await tab.evaluate("new Promise(done => { const seen = new Set(); const t0 = performance.now(); const f = () => { seen.add(document.getElementById('clock').textContent); performance.now() - t0 > 1200 ? done(seen.size) : requestAnimationFrame(f) }; f() })")).toBeLessThanOrEqual(4)
  })

  it('jumps from a finding, and shows who knew what then', async () => {
    await open(page)
    await tab.evaluate("[...document.querySelectorAll('#findings [data-seek]')].find(b => b.textContent === '0:06:40.000').click()")
    await drawn()
    expect(await clock()).toBe('0:06:40.000')
    const stand = await tab.evaluate("document.getElementById('tally').textContent")
    expect(stand).toMatch(/^7 published · 8 nodes up to date, 0 behind/)
    expect(await tab.evaluate('document.activeElement.id')).toBe('scrubber')
  })

  it('goes from node to node by arrow keys, and says each one', async () => {
    await open(page)
    await tab.evaluate("document.querySelector('#graph [tabindex=\"0\"]').focus()")
    for (const key of ['ArrowDown', 'ArrowRight', 'ArrowDown']) await tab.press(key)
    await drawn()
    const [label, shown] = await tab.evaluate("[document.activeElement.getAttribute('aria-label'), document.querySelector('.node-title strong').textContent]")
    expect(label.startsWith(`${shown}, `)).toBe(true)
    expect(label).toContain('parish: no view')
    expect(await clock()).toBe('0:00:00.000')
  })

  it('marks cut links, nodes that are down and views that differ', async () => {
    await open(page)
    const at = async (seconds: number): Promise<void> => {
      await tab.evaluate(`(() => { const r = document.getElementById('scrubber'); r.value = ${seconds} / 0.6; r.dispatchEvent(new Event('input')) })()`)
      await drawn()
    }
    const count = (selector: string): Promise<number> => tab.evaluate(`document.querySelectorAll('${selector}').length`)
    const cuts = (): Promise<number> => tab.evaluate("(document.querySelector('#graph > .link-cut').getAttribute('d').match(/M/g) ?? []).length")
    expect(await cuts()).toBe(0)
    await at(240)
    expect(await cuts()).toBe(8)
    await at(330)
    expect(await count('#graph .differs')).toBe(2)
    await at(372)
    expect([await cuts(), await count('#graph .down')]).toEqual([0, 1])
  })

  it('draws a thousand nodes, and stays quick', async () => {
    await open(renderReport(largeRun()))
    expect(await tab.evaluate("document.querySelectorAll('#graph .node').length")).toBe(1000)
    const frame = await tab.evaluate("(() => { const r = document.getElementById('scrubber'); r.value = 500; r.dispatchEvent(new Event('input')); const t0 = performance.now(); return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - t0)))) })()")
    expect(frame).toBeLessThan(2000)
    expect(tab.faults).toEqual([])
  })
})
