/** All expectations. A new one is one file and one line here. */
import converged from './converged.js'
import cost from './cost.js'
import evidence from './evidence.js'
import holds from './holds.js'
import nobody from './nobody.js'
import refused from './refused.js'
import verdict from './verdict.js'
import view from './view.js'

export const EXPECTATIONS = new Map([converged, cost, evidence, holds, nobody, refused, verdict, view].map((e) => [e.name, e]))
