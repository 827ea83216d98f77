/** S5 for authority: what was valid stays held and valid, so the newest manifest and epoch that a node holds never get older behind its back. */
import { TAG } from '../../src/substrate/type-tags.js'
import type { Reference } from '../../src/substrate/reference.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { Invariant } from '../plugin.js'
import { Memory } from './memory.js'

type Final = 'accepted' | 'rejected'

export const authorityKept: Invariant = {
  name: 'authority-kept',
  summary: 'A node never lets go of a manifest or root entry that was valid, and what the rules reject stays rejected (S5, R5, M6, M7).',
  create (world) {
    const memory = new Memory<ReadonlyMap<Reference, Final>>()
    const looked = new WeakMap<DomainKnowledge, number>()
    return {
      started: memory.started,

      changed (node, k) {
        if (looked.get(k) === k.objects.revision) return undefined
        looked.set(k, k.objects.revision)
        const now = new Map<Reference, Final>()
        const { judged, rootChain } = k.authority()
        for (const { ref, verdict: { status } } of [...judged.values(), ...rootChain.judged.values()]) if (status === 'accepted' || status === 'rejected') now.set(ref, status)
        const before = memory.note(node, k, now)
        if (before === undefined || world.oracle.setBack.has(node.name)) return undefined
        for (const [ref, was] of before) {
          const is = now.get(ref)
          if (was === 'accepted' ? is !== 'accepted' : is === 'accepted') {
            const what = k.artifact(ref)?.typeTag === TAG.manifest ? 'the manifest' : 'the root entry'
            return `${world.nameOf(k.domain)}: ${what} ${ref.slice(4, 16)} was ${was} and is ${is ?? 'neither held nor judged'}`
          }
        }
        return undefined
      }
    }
  }
}
