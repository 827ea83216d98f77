/** Tables in pages against what they speak of. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { VERDICT_CODES } from '../../src/authority/verdict.js'
import { EXIT, exitOfCode } from '../../src/cli/exit-codes.js'
import { LIMITS } from '../../src/substrate/limits.js'
import { pages } from '../../scripts/make-tables.js'
import { ROOT, sourceFiles } from '../../scripts/source-files.js'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const markdown = (folder: string): string[] => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md')).map((name) => join(folder, name))
const PROTOCOLS = markdown('protocols')

test.each([...pages()])('protocols/%s is what `npx tsx scripts/make-tables.ts` makes', (page, text) => {
  expect(read(`protocols/${page}`)).toBe(text)
})

describe('rules', () => {
  const defined = new Map<string, string[]>()
  for (const page of PROTOCOLS) {
    for (const [, rule = ''] of read(page).matchAll(/^(?:- \*\*|## )([A-Z]-?\d)(?:\*\*)? /gm)) defined.set(rule, [...defined.get(rule) ?? [], page])
  }

  test('each is written down once', () => {
    expect([...defined].filter(([, at]) => at.length > 1)).toEqual([])
    expect(defined.size).toBeGreaterThan(75)
  })

  test('every verdict code rests on one', () => {
    expect([...VERDICT_CODES].filter(([, { rule }]) => !defined.has(rule)).map(([code]) => code)).toEqual([])
  })

  test('every rule that a source names exists', () => {
    const unknown = sourceFiles('src').flatMap((file) => {
      const named = [...read(file).matchAll(/RULES ([A-Z]\d+(?:(?:, | and | to |-)[A-Z]\d+)*)/g)].flatMap(([, list = '']) => list.match(/[A-Z]\d+/g) ?? [])
      return named.filter((rule) => !defined.has(rule)).map((rule) => `${file}: ${rule}`)
    })
    expect(unknown).toEqual([])
  })
})

test('every file that a page names in src/ exists', () => {
  const gone = [...PROTOCOLS, ...markdown('docs'), 'README.md', 'config/README.md'].flatMap((page) =>
    [...read(page).matchAll(/`((?:src|scripts|test|docs)\/[\w./-]+)`/g)].filter(([, path = '']) => !existsSync(join(ROOT, path))).map(([, path]) => `${page}: ${path ?? ''}`))
  expect(gone).toEqual([])
})

test('every link between pages leads somewhere', () => {
  const broken = [...PROTOCOLS, ...markdown('docs'), ...markdown('config'), 'README.md', 'CONTRIBUTING.md'].flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].filter(([, to = '']) => !existsSync(join(ROOT, normalize(join(dirname(page), to))))).map(([, to]) => `${page}: ${to ?? ''}`))
  expect(broken).toEqual([])
})

describe('README: built on', () => {
  const { dependencies: required, peerDependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string>, peerDependencies: Record<string, string> }
  // Peers are what people install who need it.
  const dependencies = { ...required, ...peerDependencies }
  const section = /## Built on\n([\s\S]*?)\n## /.exec(read('README.md'))?.[1] ?? ''
  const listed = new Set([...section.matchAll(/^\| ([^|]*) \|/gm)].slice(1).flatMap(([, cell = '']) => cell.replace(/`/g, '').split(', ')))

  /** by what is shipped */
  const imported = new Set(sourceFiles('src', 'sim').flatMap((file) => [...read(file).matchAll(/(?:from|import) '((?:@[^/']+\/)?[^./'][^/']*)/g)].map(([, name = '']) => name)).filter((name) => name !== 'diad' && !name.startsWith('node:')))

  test('every package that is imported has its reason there', () => {
    expect([...imported].filter((name) => !listed.has(name))).toEqual([])
  })

  test('the rows are the dependencies, and none of them is idle', () => {
    expect([...listed].sort()).toEqual(Object.keys(dependencies).sort())
    expect(Object.keys(required).filter((name) => !imported.has(name))).toEqual([])
  })

  test('the lock file names no place to download from', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved": "(?!node_modules)/)
  })
})

test('docs/cli.md puts every error code behind the exit code that it has', () => {
  const rows = [...read('docs/cli.md').matchAll(/^\| (\d+) \| (`.*) \|$/gm)]
  expect(rows.map(([, exit]) => Number(exit))).toEqual(Object.values(EXIT).filter((exit) => exit !== EXIT.done))
  for (const [, exit, codes = ''] of rows) {
    for (const [, code = ''] of codes.matchAll(/`([^`]+)`/g)) expect([code, exitOfCode(code)]).toEqual([code, Number(exit)])
  }
})

test('every limit has a value that the schema page can\'t contradict', () => {
  const schema = read('protocols/schema/diad.cddl')
  for (const [what, value] of [['parts: [1*', LIMITS.fileParts], ['entries: [*', LIMITS.treeEntries], ['path: [*', LIMITS.pathHashes]] as const) expect(schema).toContain(`${what}${value} `)
})

