/** A pull from what is held here as well, as the contents of a bundle are: the very same code as over the network, to its end. */
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { Head } from '../authority/lane-knowledge.js'
import { pull, type PullSink } from './pull.js'
import { answer } from './serve-sync.js'

export function pullFrom (k: DomainKnowledge, from: DomainKnowledge, sink: PullSink): void {
  const tried = new WeakMap<Head, number>()
  for (let unfinished = true; unfinished;) {
    unfinished = false
    const run = pull(k, { ...sink, more: () => { unfinished = true } }, tried)
    for (let step = run.next(); step.done !== true;) step = run.next(answer(from, step.value))
  }
}
