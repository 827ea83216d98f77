/** The plug-ins that come with the simulator. */
import { ACTIONS } from './actions/index.js'
import { ADVERSARIES } from './adversaries/index.js'
import { EXPECTATIONS } from './expectations/index.js'
import { INVARIANTS } from './invariants/index.js'
import type { Plugins } from './plugin.js'

export const PLUGINS: Plugins = { actions: ACTIONS, expectations: EXPECTATIONS, adversaries: ADVERSARIES, invariants: INVARIANTS }
