/** What the pages say of the simulator's words, and which threats its scenarios speak of. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { listScenarios } from '../../sim/library.js'
import { INVARIANTS } from '../../sim/invariants/index.js'
import { PLUGINS } from '../../sim/plugins.js'

const page = (name: string): string => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')
/** First cells of the tables whose head begins with `head`. */
function rows (text: string, head: string): string[] {
  const out: string[] = []
  let within = false
  for (const line of text.split('\n')) {
    if (line.startsWith(`| ${head} `)) within = true
    else if (!line.startsWith('|')) within = false
    else if (within) out.push(.../^\| `([a-z-]+)` \|/.exec(line)?.slice(1) ?? [])
  }
  return out
}

describe('the pages name every word', () => {
  test.each([
    ['actions', 'sim-scenarios', 'Action', PLUGINS.actions],
    ['expectations', 'sim-scenarios', 'Expectation', PLUGINS.expectations],
    ['adversaries', 'sim-plugins', 'adversary', PLUGINS.adversaries]
  ])('%s', (_what, name, head, plugins) => {
    expect(rows(page(name), head).sort()).toEqual([...plugins.keys()].sort())
  })

  test('with all arguments, for actions and expectations', () => {
    const text = page('sim-scenarios')
    for (const { name, schema } of [...PLUGINS.actions.values(), ...PLUGINS.expectations.values()]) {
      const line = text.split('\n').find((l) => l.startsWith(`| \`${name}\` |`)) ?? ''
      for (const argument of Object.keys((schema as { properties?: object }).properties ?? {})) expect(line, name).toMatch(new RegExp(`\\b${argument}\\b`))
    }
  })

  test('adversaries say of themselves what the page says', () => {
    for (const { name, summary } of PLUGINS.adversaries.values()) expect(page('sim-plugins')).toContain(`| \`${name}\` | ${summary} |`)
  })
})

test('invariants have names of their own', () => {
  expect(new Set(INVARIANTS.map((i) => i.name)).size).toBe(INVARIANTS.length)
})

describe('threats', () => {
  const scenarios = listScenarios()

  test.each(scenarios.map((s) => [s.name, s] as const))('%s says which ones it shows', (_name, { threats, shows }) => {
    expect(threats).not.toEqual([])
    expect(shows).toMatch(/\w.*\.$/)
  })

  test('those that need time and peers have a scenario', () => {
    const covered = new Set(scenarios.flatMap((s) => s.threats))
    expect([1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 22, 23, 24, 26, 28].filter((t) => !covered.has(t))).toEqual([])
  })
})
