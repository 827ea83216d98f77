/**
 * Plug-ins of a user's own: ES modules that export plain objects, so that they import nothing of ours. docs/simulator.md shows how. What is wrong with
 * one is said in a line with its file when it is loaded; what it does wrong while it runs fails the run under its name.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { DiadError } from '../src/substrate/errors.js'
import type { Action, Adversary, Expectation, Invariant, Plugins } from './plugin.js'
import { ACTION_FRAME, EXPECTATION_FRAME, NAME_PATTERN } from './scenario/format.js'
import { map } from './scenario/schema-parts.js'
import { isRecord } from './scenario/source.js'
import { harmless, oneOf, show } from './scenario/suggest.js'
import { check } from './scenario/vocabulary.js'
import { checkedHooks } from './user-hooks.js'
import type { Watch } from './world/watch.js'
import type { World } from './world/world.js'

export interface PluginFile {
  /** absolute */
  readonly path: string
  /** what messages call it */
  readonly label: string
}

/** What each kind does its work in. */
const KINDS = { action: 'run', expectation: 'check', adversary: 'create', invariant: 'create' } as const
type Kind = keyof typeof KINDS

const HINT = 'docs/simulator.md shows what a plug-in looks like'
const NO_ARGUMENTS = map({})

/** `base` with what the files export. Throws DiadError `no-such-path` and `bad-plugin`. */
export async function withUserPlugins (base: Plugins, files: readonly PluginFile[]): Promise<Plugins> {
  const actions = new Map(base.actions)
  const expectations = new Map(base.expectations)
  const adversaries = new Map(base.adversaries)
  const invariants = [...base.invariants]
  for (const file of files) {
    for (const [where, found] of await exported(file)) {
      const fault = (what: string): DiadError => new DiadError('bad-plugin', `${file.label}: ${where} ${what}`, HINT)
      const { kind, name } = header(found, fault)
      const taken = kind === 'invariant' ? invariants.some((one) => one.name === name) : { action: actions, expectation: expectations, adversary: adversaries }[kind].has(name)
      if (taken) throw fault(`is called ${show(name)}, and there is such an ${kind} already; expected another name`)
      // The checks above and below are what the types say.
      switch (kind) {
        case 'action': actions.set(name, described(found, fault, ACTION_FRAME) as unknown as Action<unknown>); break
        case 'expectation': expectations.set(name, described(found, fault, EXPECTATION_FRAME) as unknown as Expectation<unknown>); break
        case 'adversary': {
          const plugin = described(found, fault) as unknown as Adversary<unknown>
          adversaries.set(name, { ...plugin, create: (kit, args) => checkedHooks(plugin.create(kit, args), (what) => fault(`(${name}): ${what}`)) })
          break
        }
        case 'invariant': invariants.push(guarded(found as unknown as Invariant)); break
      }
    }
  }
  return { actions, expectations, adversaries, invariants }
}

type Fields = Readonly<Record<string, unknown>>
type Fault = (what: string) => DiadError

/** What a file exports that wants to be a plug-in: the default export or each in its list, and every named export with a `kind`. */
async function exported ({ path, label }: PluginFile): Promise<Array<[string, Fields]>> {
  if (!existsSync(path)) throw new DiadError('no-such-path', `the plug-in file ${show(label)} does not exist`, 'check the path')
  let module: Readonly<Record<string, unknown>>
  try {
    module = await import(pathToFileURL(path).href) as Readonly<Record<string, unknown>>
  } catch (err) {
    throw new DiadError('bad-plugin', `${label}${lineOf(err, path)}: it can't be loaded: ${harmless(err instanceof Error ? `${err.name}: ${err.message}` : String(err))}`, HINT, { cause: err })
  }
  const found: Array<[string, Fields]> = []
  const seen = new Set<unknown>()
  for (const [name, value] of Object.entries(module)) {
    const list: readonly unknown[] = name === 'default' && Array.isArray(value) ? value : [value]
    for (const [i, one] of list.entries()) {
      const where = name !== 'default' ? `export ${show(name)}` : list === value ? `entry ${i + 1} of the default export` : 'the default export'
      // CommonJS files give their exports twice: by name and as the default.
      if (seen.has(one)) continue
      seen.add(one)
      if (isRecord(one) && 'kind' in one) found.push([where, one])
      else if (list === value) throw new DiadError('bad-plugin', `${label}: ${where} is no plug-in; expected an object with kind, name and summary`, HINT)
    }
  }
  if (found.length === 0) throw new DiadError('bad-plugin', `${label}: it exports no plug-in; expected an object with kind, name and summary, such as export default { kind: 'adversary', … }`, HINT)
  return found
}

function header (found: Fields, fault: Fault): { kind: Kind, name: string } {
  const { kind, name, summary } = found
  if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind)) throw fault(`is of kind ${show(kind)}; expected ${oneOf(kind, Object.keys(KINDS))}`)
  if (typeof name !== 'string' || !new RegExp(NAME_PATTERN).test(name)) throw fault(`has the name ${show(name)}; expected lower-case letters, digits and hyphens, at most 32, a letter first`)
  if (typeof summary !== 'string' || summary === '') throw fault(`(${name}) has no summary; expected one sentence that says what it does`)
  const work = KINDS[kind as Kind]
  if (typeof found[work] !== 'function') throw fault(`(${name}) has no function ${work}; expected one: it is what an ${kind} works by`)
  return { kind: kind as Kind, name }
}

/** With a schema that has been tried out. Entries of a timeline have keys of their own, which `frame` names. */
function described (found: Fields, fault: Fault, frame?: Fields): Fields {
  const { name, schema = NO_ARGUMENTS, node } = found as { name: string, schema?: unknown, node?: unknown }
  if (frame !== undefined && Object.hasOwn(frame['properties'] as object, name)) throw fault(`can't be called ${show(name)}: every entry may have that key; expected another name`)
  if (node !== undefined && node !== 'required' && node !== 'optional' && node !== 'none') throw fault(`(${name}) has node ${show(node)}; expected ${oneOf(node, ['required', 'optional', 'none'])}`)
  if (!isRecord(schema)) throw fault(`(${name}) has a schema that is ${show(schema)}; expected a JSON schema of its arguments`)
  try {
    check(schema, {}, name)
  } catch (err) {
    throw fault(`(${name}) has a schema that is none: ${harmless(err instanceof Error ? err.message : String(err))}; expected JSON schema, draft 7`)
  }
  return { ...found, schema }
}

/** A user's invariant that throws is one that doesn't hold. */
function guarded (plugin: Invariant): Invariant {
  const threw = (err: unknown): string => `the invariant threw: ${err instanceof Error ? err.message : String(err)}`
  return {
    ...plugin,
    create (world: World) {
      let watch: Watch
      try {
        watch = plugin.create(world)
        if (!isRecord(watch)) throw new TypeError(`create returned ${show(watch)}, and no object`)
      } catch (err) {
        const text = threw(err)
        return { atRest: () => text }
      }
      const out: Record<string, unknown> = {}
      for (const [name, hook] of Object.entries(watch) as Array<[string, (...args: unknown[]) => unknown]>) {
        out[name] = (...args: unknown[]): unknown => {
          try {
            const found = hook.apply(watch, args)
            return found instanceof Promise ? found.catch(threw) : name === 'started' ? Promise.resolve(found) : found
          } catch (err) {
            return name === 'started' ? Promise.resolve(threw(err)) : threw(err)
          }
        }
      }
      return out
    }
  }
}

/** `:LINE` of a mistake in the file, where it can be found. */
function lineOf (err: unknown, path: string): string {
  // What isn't JavaScript has no place in its stack; Node.js tells the place when it is asked to check the file alone.
  const stack = err instanceof SyntaxError
    ? spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: 5000, stdio: ['ignore', 'ignore', 'pipe'] }).stderr
    : err instanceof Error ? err.stack ?? '' : ''
  for (const place of [pathToFileURL(path).href, path]) {
    const at = stack.indexOf(`${place}:`)
    if (at >= 0) return /^:\d+/.exec(stack.slice(at + place.length))?.[0] ?? ''
  }
  return ''
}
