/** All actions. A new one is one file and one line here. */
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

export const ACTIONS = new Map([backup, carry, clone, crash, cut, disk, heal, partition, publish, put, restart, restore, tombstone].map((a) => [a.name, a]))
