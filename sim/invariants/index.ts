/** What must hold in every run. A new invariant is one file and one line here. */
import type { Invariant } from '../plugin.js'
import { authorityKept } from './authority-kept.js'
import { durableBeforeVisible } from './durable-before-visible.js'
import { equalKnowledge } from './equal-knowledge.js'
import { internalStaysInternal } from './internal-stays-internal.js'
import { judgedBeforeForwarded } from './judged-before-forwarded.js'
import { noFalseEvidence } from './no-false-evidence.js'
import { noForgedState } from './no-forged-state.js'
import { noGoingBack } from './no-going-back.js'
import { noSequenceReused } from './no-sequence-reused.js'
import { nothingAcknowledgedIsLost } from './nothing-acknowledged-is-lost.js'
import { nothingUnadmitted } from './nothing-unadmitted.js'
import { verdictsStand } from './verdicts-stand.js'
import { withinRights } from './within-rights.js'

export const INVARIANTS: readonly Invariant[] = [
  noForgedState, withinRights, judgedBeforeForwarded, noGoingBack, verdictsStand, authorityKept, equalKnowledge, noFalseEvidence, noSequenceReused, nothingAcknowledgedIsLost, durableBeforeVisible, internalStaysInternal, nothingUnadmitted
]
