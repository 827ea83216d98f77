/** `revoke: {key, keep}` */
import { DiadError } from '../../src/substrate/errors.js'
import { action } from '../plugin.js'
import { map } from '../scenario/schema-parts.js'
import { closing, decree } from '../world/desk.js'
import { KEEP, type KeepArg, keepFor, PRINCIPAL, sayKeep } from './authority-kit.js'
import { byNode, started } from './kit.js'

interface RevokeArgs { readonly key: string, readonly keep: KeepArg }

export default action<RevokeArgs>({
  name: 'revoke',
  node: 'required',
  summary: 'The owner drops a principal, and says what of its lanes stays valid.',
  schema: map({ key: PRINCIPAL, keep: KEEP }, ['key']),
  words: ({ key, keep }) => `revokes the key of ${key}: ${sayKeep(keep)}`,
  run (world, { key, keep }, node) {
    const at = byNode(node)
    started(world, at, 'revoke', decree(world, at, (papers) => {
      const rights = papers.rights.filter((r) => r.name !== key)
      if (rights.length === papers.rights.length) throw new DiadError('not-a-principal', `no manifest of ${papers.domain.name} in force here lists ${key}`)
      return { rights, close: closing(papers, key, keepFor(world, papers, keep)) }
    }))
  }
})
