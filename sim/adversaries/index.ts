/** All adversaries. A new one is one file and one line here. */
import type { Adversary } from '../plugin.js'
import eclipser from './eclipser.js'
import equivocator from './equivocator.js'
import flooder from './flooder.js'
import forger from './forger.js'
import malformed from './malformed.js'
import replayer from './replayer.js'
import staleMirror from './stale-mirror.js'
import staller from './staller.js'
import sybil from './sybil.js'
import withholder from './withholder.js'

export const ADVERSARIES: ReadonlyMap<string, Adversary<unknown>> =
  new Map([forger, equivocator, replayer, withholder, staller, flooder, sybil, eclipser, staleMirror, malformed].map((a) => [a.name, a]))
