/** All adversaries. A new one is one file and one line here. */
import type { Adversary } from '../plugin.js'

export const ADVERSARIES = new Map<string, Adversary<unknown>>()
