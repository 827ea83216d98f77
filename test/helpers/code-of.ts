/** What a request is refused with. Every refusal is one line and says what to do, so that is checked wherever a code is asked for. */
import { expect } from 'vitest'
import { DiadError } from '../../src/substrate/errors.js'

/** The code of the DiadError that `work` fails with, or `none`. `secret` must stand nowhere in it. Every other error is thrown on. */
export async function codeOf (work: Promise<unknown>, secret?: string): Promise<string> {
  return await work.then(() => 'none', (err: unknown) => {
    const { code, message, hint } = refusal(err)
    if (secret !== undefined) expect(`${message} ${hint}`).not.toContain(secret)
    expect(hint).not.toBe('')
    return code
  })
}

/** {@link codeOf} of what needs no promise. No hint is asked for: text that is malformed comes without one. */
export function codeThrown (work: () => unknown): string {
  try {
    work()
    return 'none'
  } catch (err) {
    return refusal(err).code
  }
}

function refusal (err: unknown): DiadError {
  if (!(err instanceof DiadError)) throw err
  expect(err.message).not.toContain('\n')
  return err
}
