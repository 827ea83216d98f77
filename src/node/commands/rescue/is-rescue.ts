/** Which homes `rescue start` made. */
import { join } from 'node:path'
import type { Home } from '../../home/home.js'
import { isThere } from '../../home/make-directory.js'

/** The note that marks a rescue's home (note.ts). */
export const rescueNotePath = (root: string): string => join(root, 'rescue.json')

export function isRescue ({ paths }: Home): boolean {
  return isThere(rescueNotePath(paths.root))
}
