/**
 * The boundary check: the floors of src/ as three lint rules.
 *
 *   floors/order     a file imports from its own folder or from a lower floor; only cli/ imports sim/
 *   floors/packages  floors 1 to 5 import no Node.js built-in, and only packages that run in a browser
 *   floors/pure      floors 1 to 5 have no clock, timer, entropy, environment or console
 *
 * Type-only imports count, as do `export from`, `import()` and `import('...').T`.
 */
import { builtinModules } from 'node:module'
import { posix, relative, sep } from 'node:path'
import { ROOT } from './source-files.js'

/** @typedef {import('eslint').Rule.RuleModule} RuleModule */
/** @typedef {import('eslint').Rule.RuleContext} RuleContext */

/** Folders of src/ by floor. Two folders of one floor may not import each other. */
const FLOORS = new Map(Object.entries({
  substrate: 1,
  publication: 2,
  execution: 3,
  graph: 3,
  authority: 4,
  federation: 5,
  node: 6,
  cli: 7,
  dashboard: 7
}))
/** Files that stand in src/ itself: the polyfill serves floors 6 and 7, the index shows the house to others. */
const LOOSE_FILES = new Map(Object.entries({ 'polyfill.ts': 5.5, 'index.ts': 8 }))
const HIGHEST_PURE_FLOOR = 5
const HIGHEST_FLOOR_OF_SIM = 6

const PURE_PACKAGES = ['@ipld/dag-cbor', '@noble/ed25519', '@noble/hashes', '@scure/base', 'cborg', 'multiformats']

/** What the pure floors may not name, with what to do instead. */
const BANNED_GLOBALS = new Map([
  ...entries('take the time as an argument', ['Date', 'performance']),
  ...entries('return an effect and let floor 6 or the simulator wake you',
    ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate',
      'queueMicrotask', 'requestAnimationFrame']),
  ...entries('take entropy as an argument, and hash or verify by the ports of floor 1', ['crypto']),
  ...entries('use Uint8Array and substrate/bytes', ['Buffer']),
  ...entries('take it as an argument', ['process', 'navigator', 'location']),
  ...entries('return what there is to say', ['console']),
  ...entries('the network belongs to floor 6', ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest']),
  ...entries('name what you need from it, so that this rule can see it',
    ['globalThis', 'global', 'window', 'self', 'eval', 'Function']),
  ...entries('use ES modules', ['require', 'module', '__dirname', '__filename']),
  ...entries('its answer depends on the locale of the machine', ['Intl'])
])
const LOCALE_METHODS = new Set(['localeCompare', 'toLocaleString', 'toLocaleLowerCase', 'toLocaleUpperCase',
  'toLocaleDateString', 'toLocaleTimeString'])

/** @param {string} reason @param {string[]} names @returns {[string, string][]} */
function entries (reason, names) {
  return names.map(name => [name, reason])
}

/** @param {string} file absolute @returns {string} from the root, with `/` */
function fromRoot (file) {
  return relative(ROOT, file).split(sep).join('/')
}

/**
 * Where a path stands: `area` is src, sim or something else; `place` is what may import itself freely.
 * @param {string} path from the root
 * @returns {{ area: string, place: string, floor: number | undefined }}
 */
function standing (path) {
  const [area = '', first = '', ...rest] = path.split('/')
  if (area !== 'src') return { area, place: area, floor: undefined }
  const floor = rest.length === 0 ? LOOSE_FILES.get(first) : FLOORS.get(first)
  return { area, place: `src/${first}`, floor }
}

/** @param {string} path from the root @returns {boolean} */
function isPure (path) {
  const { floor } = standing(path)
  return floor !== undefined && floor <= HIGHEST_PURE_FLOOR
}

/**
 * What is wrong when `from` imports `to`, if anything.
 * @param {string} from @param {string} to both from the root
 * @returns {string | undefined}
 */
function orderFault (from, to) {
  const a = standing(from)
  const b = standing(to)
  if (a.place === b.place) return undefined
  if (a.area === 'sim') {
    if (b.area !== 'src') return `sim/ may import from src/ only, not from ${b.place}/`
    if (b.floor === undefined) return `${b.place} stands on no floor`
    return b.floor <= HIGHEST_FLOOR_OF_SIM ? undefined : `sim/ may import floors 1 to ${HIGHEST_FLOOR_OF_SIM}, not ${b.place}`
  }
  if (b.area === 'sim') return a.place === 'src/cli' ? undefined : `only src/cli may import sim/, not ${a.place}`
  if (b.area !== 'src') return `src/ may not import from ${b.place === '..' ? 'outside of the repository' : `${b.place}/`}`
  if (a.floor === undefined) return `${a.place} stands on no floor: see FLOORS in scripts/eslint-floors.js`
  if (b.floor === undefined) return `${b.place} stands on no floor: see FLOORS in scripts/eslint-floors.js`
  if (b.floor < a.floor) return undefined
  return `${a.place} (floor ${a.floor}) may import lower floors only, not ${b.place} (floor ${b.floor})`
}

/**
 * Calls `check` with every module name that a file imports.
 * @param {(node: any, name: string) => void} check
 * @returns {import('eslint').Rule.RuleListener}
 */
function onImport (check) {
  /** @param {any} node @param {any} source */
  const see = (node, source) => {
    if (typeof source?.value === 'string') check(node, source.value)
  }
  /** @param {any} node */
  const declaration = node => see(node, node.source)
  return {
    ImportDeclaration: declaration,
    ExportNamedDeclaration: declaration,
    ExportAllDeclaration: declaration,
    ImportExpression: declaration,
    /** @param {any} node */
    TSImportType: node => see(node, node.source ?? node.argument?.literal),
    /** @param {any} node */
    TSExternalModuleReference: node => see(node, node.expression),
    /** @param {any} node */
    CallExpression: node => { if (node.callee.name === 'require') see(node, node.arguments[0]) }
  }
}

/** @type {RuleModule} */
const order = {
  meta: { type: 'problem', schema: [] },
  create (context) {
    const from = fromRoot(context.filename)
    return onImport((node, name) => {
      if (name === 'diad' || name.startsWith('diad/')) {
        context.report({ node, message: 'a package does not import itself: use the relative path' })
      } else if (name.startsWith('.') || name.startsWith('/') || name.startsWith('file:')) {
        const fault = name.startsWith('.')
          ? orderFault(from, posix.join(posix.dirname(from), name).replace(/\.js$/, '.ts'))
          : 'an import is relative'
        if (fault !== undefined) context.report({ node, message: fault })
      }
    })
  }
}

/** @type {RuleModule} */
const packages = {
  meta: { type: 'problem', schema: [] },
  create (context) {
    if (!isPure(fromRoot(context.filename))) return {}
    return onImport((node, name) => {
      if (name.startsWith('.')) return
      if (name.startsWith('node:') || builtinModules.includes(name)) {
        context.report({ node, message: `floors 1 to ${HIGHEST_PURE_FLOOR} import no Node.js built-in (${name}): declare a port and let floor 6 hand it in` })
      } else if (!PURE_PACKAGES.some(allowed => name === allowed || name.startsWith(`${allowed}/`))) {
        context.report({ node, message: `floors 1 to ${HIGHEST_PURE_FLOOR} may import ${PURE_PACKAGES.join(', ')}, not ${name}` })
      }
    })
  }
}

/** @type {RuleModule} */
const pure = {
  meta: { type: 'problem', schema: [] },
  create (context) {
    if (!isPure(fromRoot(context.filename))) return {}
    /** @param {any} node @param {string} what @param {string} reason */
    const report = (node, what, reason) => {
      context.report({ node, message: `${what} does not belong in floors 1 to ${HIGHEST_PURE_FLOOR}: ${reason}` })
    }
    return {
      'Program:exit' () {
        for (const scope of context.sourceCode.scopeManager.scopes) {
          for (const reference of scope.references) {
            // A name that the file itself declares or imports has definitions; a global has none.
            if ((reference.resolved?.defs.length ?? 0) > 0) continue
            if (/** @type {any} */ (reference).isValueReference === false) continue
            const { identifier } = reference
            const reason = BANNED_GLOBALS.get(identifier.name)
            if (reason !== undefined) report(identifier, identifier.name, reason)
          }
        }
      },
      /** @param {any} node */
      MemberExpression (node) {
        const name = node.computed ? node.property.value : node.property.name
        if (LOCALE_METHODS.has(name)) report(node, name, 'its answer depends on the locale of the machine')
        if (node.object.name === 'Math' && name === 'random') report(node, 'Math.random', 'take entropy as an argument')
      },
      /** @param {any} node */
      'VariableDeclarator[init.name="Math"] > ObjectPattern' (node) {
        report(node, 'taking Math apart', 'write Math.name, so that this rule can see Math.random')
      },
      MetaProperty (node) {
        if (node.meta.name === 'import') report(node, 'import.meta', 'it shows where the program runs')
      }
    }
  }
}

/** @type {import('eslint').ESLint.Plugin} */
export default { rules: { order, packages, pure } }
