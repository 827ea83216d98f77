/**
 * Makes protocols/vectors/verdicts/*.json from fixed seeds: `npx tsx scripts/make-verdict-vectors.ts`. test/conformance/verdicts.test.ts runs the files and
 * checks that making them again gives the same bytes. What a case must give is written by hand, with the rule at its side.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { admissionCases } from './vectors/verdicts/admission.js'
import { byteCases, confusionCases, shapeCases } from './vectors/verdicts/bytes.js'
import { documentOf } from './vectors/verdicts/cases.js'
import { laneCases } from './vectors/verdicts/lanes.js'
import { leafCases, matrixCases } from './vectors/verdicts/leaves.js'
import { manifestCases } from './vectors/verdicts/manifests.js'
import { moveCases } from './vectors/verdicts/moves.js'
import { rootCases } from './vectors/verdicts/roots.js'
import { forkCases, viewCases } from './vectors/verdicts/views.js'

export const VERDICTS = fileURLToPath(new URL('../protocols/vectors/verdicts', import.meta.url))

/** Each file by its name, with how to make it. */
export const VECTOR_FILES: ReadonlyMap<string, () => string> = new Map([
  ['bytes.json', () => documentOf('Bytes alone: identity, signatures, weak keys. S-2, S-5, S-6, T1; THREATS 1, 2, 8, 9.', byteCases())],
  ['confusion.json', () => documentOf('Every ordered pair of types: the payload of one under the tag of the other. S-1, S-4; THREATS 2.', confusionCases())],
  ['shapes.json', () => documentOf('Encodings that are not canonical and objects of the wrong shape. S-4; THREATS 3, 8.', shapeCases())],
  ['roots.json', () => documentOf('The root chain. T1, M5, M6; THREATS 8, 13.', rootCases())],
  ['moves.json', () => documentOf('Where a domain\'s roots say that it goes on. M8, T1, M6; THREATS 8, 13.', moveCases())],
  ['manifests.json', () => documentOf('Manifests. M1, M3, M4, M7, M9, B5; THREATS 7, 10, 12.', manifestCases())],
  ['lanes.json', () => documentOf('Lanes, heads, logs and cuts. L1-L3, S1, R3, R6, K1-K4, A3; THREATS 6, 11.', laneCases())],
  ['leaves.json', () => documentOf('Single leaves: bodies, scopes, erasure. R1, R6, R7, T2.', leafCases())],
  ['matrix.json', () => documentOf('Every role and every kind of leaf, and policies that allow less. R2, T2; THREATS 7.', matrixCases())],
  ['views.json', () => documentOf('Exports, vouches, names, content. R4, A2, A3, L2, V4.', viewCases())],
  ['forks.json', () => documentOf('Equivocation: evidence, anchors, contested names. E1, E3-E5, K4; THREATS 14.', forkCases())],
  ['admission.json', () => documentOf('What one domain makes of another: requests, decisions, and what enters the view. D1-D5; THREATS 19.', admissionCases())]
])

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(VERDICTS, { recursive: true })
  for (const [name, make] of VECTOR_FILES) writeFileSync(join(VERDICTS, name), make())
}
