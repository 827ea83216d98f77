/** Each planted bug still finds its place, once: what can't be planted any more is tested by nobody, and a full run takes hours to say so. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { RULE_MUTANTS } from '../../scripts/mutants/rules.js'
import { SIMULATOR_MUTANTS } from '../../scripts/mutants/simulator.js'

test.each([...SIMULATOR_MUTANTS, ...RULE_MUTANTS])('$name', ({ file, find, replace }) => {
  expect(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').split(find).length - 1).toBe(1)
  expect(replace).not.toBe(find)
})
