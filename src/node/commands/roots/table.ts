/** Root, sign and recover: the root chain and what is signed offline. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { RootsArgs } from './types.js'

export const rootsCommands: Loaders<RootsArgs> = {
  'root show': async () => (await import('./show.js')).rootShow,
  'root renew': async () => (await import('./renew.js')).rootRenew,
  'root rotate': async () => (await import('./rotate.js')).rootRotate,
  'root drill': async () => (await import('./drill.js')).rootDrill,
  'root move': async () => (await import('./move.js')).rootMove,
  'root apply': async () => (await import('./apply.js')).rootApply,
  sign: async () => (await import('./sign.js')).sign,
  'recover root-key': async () => (await import('./recover.js')).recoverRootKey,
  'recover keys': async () => (await import('./recover.js')).recoverKeys,
  'recover roots': async () => (await import('./rotate.js')).recoverRoots,
  'recover lane': async () => (await import('./recover-lane.js')).recoverLane
}
