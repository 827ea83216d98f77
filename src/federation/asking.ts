/** How a pull asks: it yields a request and is resumed with the answer. */
import type { AnswerTo, SyncAnswer, SyncRequest } from './messages.js'

export type Asking<T> = Generator<SyncRequest, T, SyncAnswer | undefined>

/**
 * One of many things that are asked for together. Besides requests it yields numbers, and is resumed with nothing when the others have come as far
 * ({@link Together}): before it takes in what it was given, of so many bytes, and 0 after that, before it looks at what is held.
 */
export type Working<T> = Generator<SyncRequest | number, T, SyncAnswer | undefined>

/** Thrown inside a pull when the answer isn't of the request's kind; the peer is refused as a whole. */
export class WrongAnswer extends Error {}

export function * ask<R extends SyncRequest> (request: R): Asking<AnswerTo<R>> {
  const got = yield request
  if (got?.t !== `${request.t}-answer`) throw new WrongAnswer(got?.t)
  return got as AnswerTo<R>
}
