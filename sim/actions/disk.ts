/** `disk: {node, fault}`: what disks do. */
import { choice, map, NODE } from '../scenario/schema-parts.js'
import { action } from '../plugin.js'
import { STEP_KINDS } from '../world/disk.js'

const FAULTS = ['full', 'read-only', 'slow', 'lies', 'flips-a-bit', 'none'] as const
const SLOW = 300_000

type Fault = typeof FAULTS[number]

const WORDS: Readonly<Record<Fault, string>> = {
  full: 'becomes full', 'read-only': 'becomes read-only', slow: 'becomes slow', lies: 'loses what it says is synced', 'flips-a-bit': 'flips a bit', none: 'works again'
}

export default action<{ node: string, fault: Fault }>({
  name: 'disk',
  node: 'none',
  summary: 'The node\'s disk becomes full, read-only or slow, loses what it says is synced, flips a bit of what lies there, or works again.',
  schema: map({ node: NODE, fault: choice(FAULTS) }, ['node', 'fault']),
  words: ({ node, fault }) => `the disk of ${node} ${WORDS[fault]}`,
  run (world, { node, fault }) {
    const { machine, random } = world.node(node)
    const { disk } = machine
    disk.failing.clear()
    disk.lyingSync = false
    machine.slow = 0
    switch (fault) {
      case 'full': for (const kind of ['append', 'batch', 'create'] as const) disk.failing.set(kind, 'ENOSPC'); break
      case 'read-only': for (const kind of STEP_KINDS) disk.failing.set(kind, 'EROFS'); break
      case 'slow': machine.slow = SLOW; break
      case 'lies':
        disk.lyingSync = true
        // It may lose what it acknowledged, and nobody can do anything about it.
        world.oracle.setBack.add(node)
        break
      case 'flips-a-bit': {
        const packs = [...disk.files].filter(([, f]) => f.size > 0)
        if (packs.length === 0) break
        const [pack, { size }] = random.pick(packs)
        disk.flip(pack, random.below(size))
        break
      }
      case 'none': break
    }
  }
})
