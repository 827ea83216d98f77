/** All expectations, in the order in which they are listed to people. A new one is one file, and one word here. */
import admitted from './admitted.js'
import asks from './asks.js'
import authority from './authority.js'
import converged from './converged.js'
import cost from './cost.js'
import evidence from './evidence.js'
import holds from './holds.js'
import nobody from './nobody.js'
import refused from './refused.js'
import verdict from './verdict.js'
import view from './view.js'

export const EXPECTATIONS = new Map([holds, view, converged, verdict, authority, admitted, evidence, asks, nobody, refused, cost].map((e) => [e.name, e]))
