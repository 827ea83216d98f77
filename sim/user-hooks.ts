/** Looks at what the hooks of a user's adversary return: a wrong answer throws inside the hook, where it is laid to the adversary, not to the simulator. */
import { isRecord } from './scenario/source.js'
import { oneOf, show } from './scenario/suggest.js'
import type { Hooks } from './world/node.js'
import type { BlockRequest } from './world/wire.js'

const CHANNELS = ['hello', 'sync', 'admit']
const DIRECTIONS = ['request', 'response']

/** What is wrong with the answer of each hook, or undefined. */
const FAULT: Readonly<Record<keyof Hooks, (answer: unknown, args: readonly unknown[]) => string | undefined>> = {
  send: (answer) => answer === undefined || (Array.isArray(answer) && answer.every(isFrame)) ? undefined : 'expected a list of frames {type: \'send\', peer, channel, direction, bytes}',
  frame: truth,
  gossip: truth,
  blocks (answer, [request]) {
    if (answer === undefined) return undefined
    const { refs } = request as BlockRequest
    const fits = Array.isArray(answer) && answer.length === refs.length && answer.every((block) => block === undefined || block instanceof Uint8Array)
    return fits ? undefined : `expected a list of ${refs.length} blocks (bytes or undefined), one for each that was asked for, or undefined`
  },
  tick: () => undefined,
  start: () => undefined
}

function truth (answer: unknown): string | undefined {
  return answer === undefined || typeof answer === 'boolean' ? undefined : 'expected true or false'
}

function isFrame (value: unknown): boolean {
  return isRecord(value) && typeof value['peer'] === 'string' && CHANNELS.includes(String(value['channel'])) &&
    DIRECTIONS.includes(String(value['direction'])) && value['bytes'] instanceof Uint8Array
}

/** Throws what `fault` makes where `hooks` is no object of hooks. */
export function checkedHooks (hooks: unknown, fault: (what: string) => Error): Hooks {
  if (!isRecord(hooks)) throw fault(`create returned ${show(hooks)}; expected an object of hooks`)
  const out: Record<string, unknown> = {}
  for (const [name, hook] of Object.entries(hooks)) {
    if (!Object.hasOwn(FAULT, name)) throw fault(`there is no hook ${show(name)}; expected ${oneOf(name, Object.keys(FAULT))}`)
    if (hook === undefined) continue
    if (typeof hook !== 'function') throw fault(`the hook ${name} is ${show(hook)}; expected a function`)
    out[name] = (...args: unknown[]): unknown => {
      const answer: unknown = Reflect.apply(hook, hooks, args)
      const fault = FAULT[name as keyof Hooks](answer, args)
      if (fault === undefined) return answer
      // Nobody will wait for it, so nobody would catch what it ends with.
      if (answer instanceof Promise) answer.catch(() => undefined)
      throw new TypeError(`its hook ${name} returned ${answer instanceof Promise ? 'a promise' : show(answer)}; ${fault}`)
    }
  }
  return out
}
