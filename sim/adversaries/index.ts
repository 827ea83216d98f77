/** All adversaries. A new one is one file and one line here. */
import type { Adversary } from '../plugin.js'
import eclipser from './eclipser.js'
import equivocator from './equivocator.js'
import fisher from './fisher.js'
import flooder from './flooder.js'
import forger from './forger.js'
import keyThief from './key-thief.js'
import malformed from './malformed.js'
import replayer from './replayer.js'
import roleForger from './role-forger.js'
import rootThief from './root-thief.js'
import staleManifest from './stale-manifest.js'
import staleMirror from './stale-mirror.js'
import staller from './staller.js'
import sybil from './sybil.js'
import weakKey from './weak-key.js'
import withholder from './withholder.js'

export const ADVERSARIES: ReadonlyMap<string, Adversary<unknown>> =
  new Map([
    forger, equivocator, replayer, withholder, staller, flooder, sybil, eclipser, staleMirror, malformed, keyThief, roleForger, staleManifest, rootThief, weakKey, fisher
  ].map((a) => [a.name, a]))
