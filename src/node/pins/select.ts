/** Which kind of pin a home gets: ZFS where its domain root lies on a dataset that can be used, else a read-only copy. */
import { join } from 'node:path'
import type { Reference } from '../../substrate/reference.js'
import type { HomePaths } from '../home/paths.js'
import { CopyPins } from './copy.js'
import { datasetOf } from './dataset.js'
import type { PinDriver, PlannedPin } from './driver.js'
import { ZfsPins } from './zfs.js'

export interface Selected {
  readonly driver: PinDriver
  /** why ZFS isn't used although the home lies on it */
  readonly note: string | undefined
}

/** Where the records of seals and the copies stand. */
export function sealsFolder (paths: HomePaths): string {
  return join(paths.root, 'seals')
}

/** For a new pin. The domain root has to be there. */
export async function selectDriver (paths: HomePaths, domain: Reference): Promise<Selected> {
  const dataset = await datasetOf(paths.domain)
  if (dataset === undefined || typeof dataset === 'string') return { driver: new CopyPins(paths.domain, sealsFolder(paths)), note: dataset }
  return { driver: new ZfsPins(dataset, domain), note: undefined }
}

/** For one that was made, wherever the home lies now. */
export async function driverFor (paths: HomePaths, domain: Reference, pin: PlannedPin): Promise<PinDriver> {
  if (pin.kind === 'copy') return new CopyPins(paths.domain, sealsFolder(paths))
  const name = pin.at.slice(0, pin.at.indexOf('@'))
  const here = await datasetOf(paths.domain)
  const mountPoint = typeof here === 'object' && here.name === name ? here.mountPoint : undefined
  return new ZfsPins({ name, mountPoint, inside: pin.inside }, domain)
}
