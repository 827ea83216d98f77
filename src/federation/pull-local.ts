/** A pull from what is held here as well, as the contents of a bundle are: the very same code as over the network. */
import type { DomainKnowledge } from '../authority/knowledge.js'
import { pull, type PullSink } from './pull.js'
import { answer } from './serve-sync.js'

export function pullFrom (k: DomainKnowledge, from: DomainKnowledge, sink: PullSink): void {
  const run = pull(k, sink, undefined, true)
  for (let step = run.next(); step.done !== true;) step = run.next(answer(from, step.value))
}
