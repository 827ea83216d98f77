/** All actions, in the order in which they are listed to people. A new one is one file, and one word here. */
import backup from './backup.js'
import carry from './carry.js'
import clone from './clone.js'
import crash from './crash.js'
import cut from './cut.js'
import disk from './disk.js'
import heal from './heal.js'
import partition from './partition.js'
import publish from './publish.js'
import put from './put.js'
import restart from './restart.js'
import restore from './restore.js'
import tombstone from './tombstone.js'

export const ACTIONS = new Map([publish, tombstone, put, partition, heal, cut, crash, restart, disk, backup, restore, clone, carry].map((a) => [a.name, a]))
