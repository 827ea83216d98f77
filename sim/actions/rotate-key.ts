/** `rotate-key: {key, keep}` */
import { DiadError } from '../../src/substrate/errors.js'
import { action } from '../plugin.js'
import { map } from '../scenario/schema-parts.js'
import { closing, decree } from '../world/desk.js'
import { KEEP, type KeepArg, keepFor, PRINCIPAL, sayKeep } from './authority-kit.js'
import { byNode, started } from './kit.js'

interface RotateArgs { readonly key: string, readonly keep: KeepArg }

export default action<RotateArgs>({
  name: 'rotate-key',
  node: 'required',
  summary: 'The owner replaces the key of a principal by a fresh one with the same roles and scope; who held the old one gets it, thieves don\'t.',
  schema: map({ key: PRINCIPAL, keep: KEEP }, ['key']),
  words: ({ key, keep }) => `replaces the key of ${key}: of the old one ${sayKeep(keep)}`,
  run (world, { key, keep }, node) {
    const at = byNode(node)
    started(world, at, 'rotate-key', decree(world, at, (papers) => {
      const { domain, rights } = papers
      if (!rights.some((r) => r.name === key)) throw new DiadError('not-a-principal', `no manifest of ${domain.name} in force here lists ${key}`)
      const close = closing(papers, key, keepFor(world, papers, keep))
      const { publicKey } = domain.keys.principal(key)
      return { rights: rights.map((r) => r.name === key ? { ...r, publicKey } : r), close }
    }))
  }
})
