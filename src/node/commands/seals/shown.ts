/** A seal as results show it. */
import { isPinned, type SealRecord } from '../../pins/records.js'
import type { ShownSeal } from './types.js'

export function shownSeal ({ name, pin, manifest, manifestVersion, lanes }: SealRecord): ShownSeal {
  return { name, kind: pin.kind, at: pin.at, manifest, manifestVersion, lanes, state: isPinned(pin) ? 'sealed' : 'interrupted' }
}
