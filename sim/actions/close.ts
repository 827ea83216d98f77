/** `close: {key, keep}` */
import { action } from '../plugin.js'
import { map } from '../scenario/schema-parts.js'
import { closing, decree } from '../world/desk.js'
import { KEEP, type KeepArg, keepFor, PRINCIPAL, sayKeep } from './authority-kit.js'
import { byNode, started } from './kit.js'

interface CloseArgs { readonly key: string, readonly keep: KeepArg }

export default action<CloseArgs>({
  name: 'close',
  node: 'required',
  summary: 'The owner ends the lanes of a principal, and says what of them stays valid; the principal keeps its roles and opens a new lane. Of one that was dropped, it can be said again.',
  schema: map({ key: PRINCIPAL, keep: KEEP }, ['key']),
  words: ({ key, keep }) => `closes the lanes of ${key}: ${sayKeep(keep)}`,
  run (world, { key, keep }, node) {
    const at = byNode(node)
    started(world, at, 'close', decree(world, at, (papers) => ({ close: closing(papers, key, keepFor(world, papers, keep)) })))
  }
})
