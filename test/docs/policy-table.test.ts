/** The table of policy fields in protocols/authority.md against the code's own list of them, and against the code that it names. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultPolicy } from '../../src/authority/policy.js'
import { ROOT } from '../../scripts/source-files.js'

const page = readFileSync(join(ROOT, 'protocols/authority.md'), 'utf8')
const section = /### Where each policy field is enforced\n([\s\S]*?)\n## /.exec(page)?.[1] ?? ''
const rows = [...section.matchAll(/^\| `([^`]+)` \| ([^|]*) \|/gm)].map(([, field = '', where = '']) => ({ field, where }))

const fields = Object.entries(defaultPolicy).flatMap(([name, value]) => typeof value === 'object' ? Object.keys(value).map((inner) => `${name}.${inner}`) : [name])

test('every field of a policy has its row, once and in order', () => {
  expect(rows.map((r) => r.field)).toEqual(fields)
})

test('what a row names is in the file that it names', () => {
  const gone = rows.filter(({ where }) => {
    const [, name, file] = /^`([^`]+)` in `([^`]+)`$/.exec(where) ?? []
    if (name === undefined || file === undefined) return where !== 'no code removes content yet'
    return !new RegExp(`\\b${name}\\b`).test(readFileSync(join(ROOT, file), 'utf8'))
  })
  expect(gone).toEqual([])
})
