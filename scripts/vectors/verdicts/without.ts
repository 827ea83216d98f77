/** Verdict codes that have no vector yet, with the reason. The list may only shrink: test/conformance/verdicts.test.ts holds it against its own copy. */
import type { VerdictCode } from '../../../src/authority/verdict.js'

export const NO_VECTOR_YET: ReadonlyMap<VerdictCode, string> = new Map<VerdictCode, string>([
  ['log-withheld', 'says something of a server and not of bytes: test/federation/attacks-pull.test.ts'],
  ['wrong-answer', 'says something of a server\'s answer and not of an object: test/federation/attacks-pull.test.ts'],
  ['input-contested', 'receipts (P2, S3) are not judged yet'],
  ['input-unbound', 'receipts (P4) are not judged yet'],
  ['receipt-invalid', 'receipts (P5) are not judged yet']
])
