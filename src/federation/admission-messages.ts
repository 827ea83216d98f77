/**
 * The messages of /diad/admit/1: one domain asks another for a nonce, and with it to be admitted. Strict DAG-CBOR maps told apart by `t`, as those of sync.
 * Source: RULES D1; protocols/federation.md, wire section.
 */
import { LIMITS } from '../substrate/limits.js'
import { bytes, hex, list, literal, oneOf, ref, struct, text, type TypeOf, uint } from '../substrate/shape.js'
import { byType, wire } from './messages.js'

/** objects that a request brings along: 400 manifests take 800. A domain with a longer history asks by file */
export const MAX_BROUGHT = 1024

const id = uint(0xffffffff)
const artifact = bytes(LIMITS.payloadBytes + 13, 9)

const challenge = struct({ t: literal('challenge'), id, receiver: ref })
/** `nonce` counts where `status` says so; else it is zero. */
const challengeAnswer = struct({ t: literal('challenge-answer'), id, status: oneOf('nonce', 'not-taken', 'busy'), nonce: hex(32) })
const request = struct({ t: literal('request'), id, request: artifact, signature: artifact, objects: list(artifact, { max: MAX_BROUGHT }) })
/** `received`, `busy`, `not-taken`, or the verdict code that refuses it. What is decided later is never said (L2). */
const requestAnswer = struct({ t: literal('request-answer'), id, code: text(64, 1) })

export type Challenge = TypeOf<typeof challenge>
export type ChallengeAnswer = TypeOf<typeof challengeAnswer>
export type AdmitRequest = TypeOf<typeof request>
export type AdmitQuestion = Challenge | AdmitRequest
export type AdmitAnswer = ChallengeAnswer | TypeOf<typeof requestAnswer>
/** What one asks, without the id that the exchange gives it. */
export type Asked<Q extends AdmitQuestion = AdmitQuestion> = Q extends AdmitQuestion ? Omit<Q, 'id'> : never
export type AnswerTo<Q extends Asked> = Extract<AdmitAnswer, { t: `${Q['t']}-answer` }>

export const admitQuestionWire = wire(byType<AdmitQuestion>({ challenge, request }), 'admission question')
export const admitAnswerWire = wire(byType<AdmitAnswer>({ 'challenge-answer': challengeAnswer, 'request-answer': requestAnswer }), 'admission answer')
