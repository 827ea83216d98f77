/** What a view says was really published: by somebody with the domain's key, under that name, with that content. */
import type { Invariant } from '../plugin.js'

export const noForgedState: Invariant = {
  name: 'no-forged-state',
  summary: 'Every name in a view was published by a key of its domain (S1, A1, R4).',
  create: (world) => ({
    changed (_node, k) {
      for (const e of k.view().current.values()) {
        if (!world.oracle.wasIntended(k.domain, e.name, e.ref)) return `${world.nameOf(k.domain)}/${e.name} is ${e.ref.slice(4, 16)}, which nobody published`
      }
      return undefined
    }
  })
}
