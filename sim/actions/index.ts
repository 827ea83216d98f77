/** All actions, in the order in which they are listed to people. A new one is one file, and one word here. */
import admit from './admit.js'
import anchor from './anchor.js'
import backup from './backup.js'
import carry from './carry.js'
import clone from './clone.js'
import close from './close.js'
import crash from './crash.js'
import cut from './cut.js'
import disk from './disk.js'
import erase from './erase.js'
import exportStick from './export.js'
import grant from './grant.js'
import heal from './heal.js'
import importStick from './import.js'
import leave from './leave.js'
import partition from './partition.js'
import publish from './publish.js'
import put from './put.js'
import renew from './renew.js'
import rescue from './rescue.js'
import restart from './restart.js'
import restore from './restore.js'
import revoke from './revoke.js'
import rotateKey from './rotate-key.js'
import rotateRoots from './rotate-roots.js'
import steal from './steal.js'
import tombstone from './tombstone.js'
import vouch from './vouch.js'

export const ACTIONS = new Map([
  publish, tombstone, put, vouch, erase, partition, heal, cut, crash, restart, disk, backup, restore, clone, carry, exportStick, importStick, rescue, leave,
  grant, revoke, close, rotateKey, anchor, renew, rotateRoots, admit, steal
].map((a) => [a.name, a]))
