/** What the adversaries that come with the simulator take; each is to move into its file of sim/adversaries. */
import { list, map, named, NODE, PUBLISHED, quantity, whole } from './schema-parts.js'
import type { Described } from './types.js'

const FROM = { start: quantity('time', 'when it begins', { default: 0 }) }
const TARGET = { of: named('domain', 'the domain it works against; without it, all that it follows') }

const ADVERSARIES: readonly Described[] = [
  { name: 'forger', summary: 'Answers with objects of its own making: wrong bytes under a right reference, signatures by the wrong key.', schema: map({ ...FROM, ...TARGET }) },
  { name: 'equivocator', summary: 'Holds a key of its domain and shows two histories of one lane to two halves of its peers.', schema: map({ ...FROM, names: list(PUBLISHED, 'the names it publishes twice', { minItems: 1, default: ['forked'] }) }) },
  { name: 'replayer', summary: 'Sends again what it once received, much later and to everybody.', schema: map({ ...FROM, delay: quantity('time', 'how long it waits', { default: '30s' }) }) },
  { name: 'withholder', summary: 'Announces heads and never gives the log or the content.', schema: map({ ...FROM, ...TARGET }) },
  { name: 'staller', summary: 'Takes every request and answers byte by byte, or never.', schema: map({ ...FROM, rate: quantity('rate', 'how fast it answers', { range: [1, 1e12], default: '1B/s' }) }) },
  { name: 'flooder', summary: 'Sends hellos, gossip and badly signed heads as fast as its links carry them.', schema: map({ ...FROM, rate: whole('messages a second, a whole number from 1 to 100000', 1, 100_000, 500), until: quantity('time', 'when it stops') }) },
  { name: 'sybil', summary: 'One of many identities of one operator; together they push forged heads and each other\'s addresses.', schema: map({ ...FROM, ...TARGET }) },
  { name: 'eclipser', summary: 'Wants to be the victim\'s only peer and shows it a world of its own choice.', schema: map({ ...FROM, victim: NODE }, ['victim']) },
  { name: 'stale-mirror', summary: 'Freezes: serves what it held at a moment for ever, and says that it is the newest.', schema: map({ freeze: quantity('time', 'the moment it stays at', { default: '30s' }), ...TARGET }) },
  { name: 'malformed', summary: 'Sends bytes that break their shape: cut, bit-flipped, too long, too deep, with lying lengths.', schema: map({ ...FROM, rate: whole('messages a second, a whole number from 1 to 100000', 1, 100_000, 50) }) }
]

export const baseAdversaries: ReadonlyMap<string, Described> = new Map(ADVERSARIES.map((one) => [one.name, one]))
