/** `diad explain`: the verdict on anything held here, with the path of evidence as a tree that a person can follow without the rules at hand. */
import { sceneOf, type Scene } from '../../../authority/explain/authority.js'
import { explainName, explainRecord } from '../../../authority/explain/lane.js'
import { explainKey, explainPrincipal, principalsOf } from '../../../authority/explain/principal.js'
import { explainReference, referencesOf } from '../../../authority/explain/reference.js'
import { check, type Explained, node } from '../../../authority/explain/tree.js'
import { wayOut } from '../../../authority/explain/ways-out.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { failed, verdict } from '../../../authority/verdict.js'
import { showName } from '../../../publication/names.js'
import { domainText, shortDomain } from '../../../substrate/domain-id.js'
import { MalformedError } from '../../../substrate/errors.js'
import { isReference, NONE, parseReference, type Reference } from '../../../substrate/reference.js'
import { tagName } from '../../../substrate/type-tags.js'
import { ownNewest } from '../../authority.js'
import { forkOf } from '../../authority-fork.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { readPrincipalNames } from '../../home/principal-names.js'
import { type Context, currentEntry, domainOf, parseTarget, type Target } from '../context.js'
import { contains, placeBelow, wholeBelow } from '../verify.js'
import { laneNamed, viewedLane } from './common.js'

export async function explain (context: Context, args: CommandArgs['explain'], io: CommandIo): Promise<CommandResults['explain']> {
  const tree = await explained(context, args.target, io)
  return { target: args.target, status: tree.verdict.status, code: tree.verdict.code, ...tree }
}

async function explained (context: Context, text: string, io: CommandIo): Promise<Explained> {
  const names = readPrincipalNames(context.home)
  const scene = (k: DomainKnowledge): Scene => sceneOf(k, (id) => names.get(id), (of, manifest) => signedHere(context, of, manifest))
  if (text.includes('/')) {
    const at = parseTarget(context, text)
    return at.segments.length === 0 ? await wholeDomain(context, scene, at.domain) : await named(context, scene, at, io)
  }
  const place = /^([0-9a-f]{12,68}):([0-9]{1,16})$/.exec(text)
  if (place !== null) {
    const { k, lane } = await laneNamed(context, place[1] as string)
    return explainRecord(scene(k), viewedLane(k, lane), Number(place[2]))
  }
  const called = [...names].find(([, name]) => name === text)?.[0]
  const found = called !== undefined || /^[0-9a-f]{8,68}$/.test(text) ? await byDigits(context, scene, called ?? text, io) : undefined
  return found ?? await wholeDomain(context, scene, domainOf(context, text))
}

/** Of the own domain alone: what other owners sign isn't signed here, and that says nothing. */
function signedHere ({ home, runtime }: Context, k: DomainKnowledge, manifest: Reference): boolean | undefined {
  const fork = runtime.records.get(k.domain)?.own === true ? forkOf(k, ownNewest(home, runtime, k)) : undefined
  return fork?.known === true ? fork.branches.some((b) => b.manifests.some((m) => m.own && m.judged.ref === manifest)) : undefined
}

type SceneOf = (k: DomainKnowledge) => Scene

async function wholeDomain (context: Context, scene: SceneOf, domain: Reference): Promise<Explained> {
  const k = context.runtime.records.has(domain) ? await context.runtime.knowledge(domain) : undefined
  const tree = k === undefined ? undefined : explainReference(scene(k), domain)
  return tree ?? node(`the domain ${shortDomain(domain)}`, failed('unknown-domain', `nothing of ${domainText(domain)} is held here`, [domain]), { ref: domain, wayOut: wayOut('unknown-domain', { domain }) })
}

/** References, principals, root keys and blocks that `digits` are, or begin. */
async function byDigits (context: Context, scene: SceneOf, digits: string, io: CommandIo): Promise<Explained | undefined> {
  const found = new Map<string, () => Explained | undefined>()
  for (const domain of [...context.runtime.records.keys()].sort()) {
    const s = scene(await context.runtime.knowledge(domain))
    for (const id of principalsOf(s.k, digits)) found.set(`${domain} ${id}`, () => explainPrincipal(s, id))
    // The first digits of every reference are the same: fewer than twelve say nothing.
    if (digits.length >= 12) for (const ref of referencesOf(s, digits)) if (!found.has(ref)) found.set(ref, () => explainReference(s, ref))
    if (found.size === 0) {
      const key = explainKey(s, digits)
      if (key !== undefined) return key
    }
  }
  const [only] = found.values()
  if (found.size > 1) throw new MalformedError(`${digits} is not unique: give more digits`)
  if (only !== undefined) return only()
  const { blocks } = context.runtime.store
  if (isReference(digits)) {
    const ref = parseReference(digits)
    return blocks.has(ref) ? await content(context, scene, ref, io) : node('an object', failed('not-held', 'this home holds nothing with this reference', [ref]), { ref })
  }
  if (digits.length < 12) return undefined
  const held: Reference[] = []
  for await (const [ref] of blocks.blocks()) if (ref.startsWith(digits) && held.length < 2) held.push(ref)
  if (held.length > 1) throw new MalformedError(`${digits} is not unique: give more digits`)
  const [ref] = held
  if (ref !== undefined) return await content(context, scene, ref, io)
  if (digits.length === 64) return node(`the key or principal ${digits.slice(0, 12)}…`, failed('not-held', 'no domain known here lists it'), { ref: digits })
  throw new MalformedError(`nothing held here begins with ${digits}`)
}

async function named (context: Context, scene: SceneOf, at: Target, io: CommandIo): Promise<Explained> {
  const { blocks } = context.runtime.store
  const k = context.runtime.records.has(at.domain) ? await context.runtime.knowledge(at.domain) : undefined
  if (k?.authority().tip === undefined) return await wholeDomain(context, scene, at.domain)
  const found = currentEntry(k, at.segments, true)
  const s = scene(k)
  // A name that is gone, or was never there.
  if (found === undefined) return explainName(s, at.segments.join('/'))
  const { entry, rest } = found
  const name = explainName(s, entry.name)
  const place = await placeBelow(blocks, entry, rest)
  const root = place === undefined || !place.ok ? entry.ref : place.ref
  const lacking = root === undefined ? undefined : await wholeBelow(blocks, root, io.signal)
  const whole = lacking === undefined && place?.ok !== false
  const code = name.verdict.code === 'accepted' && !whole ? 'content-missing' as const : name.verdict.code
  const ref = place === undefined ? entry.ref : place.ref
  return node(`${shortDomain(at.domain)}/${at.segments.join('/')}`, verdict(code, [], lacking === undefined ? [] : [lacking]), {
    ref,
    checks: [
      ...place === undefined ? [] : [check('V4', place.ok, place.text)],
      ...root === undefined ? [] : [check('V4', lacking === undefined, lacking === undefined ? 'every block below it is held and hashes to its reference' : `the block ${lacking} isn't here`)]
    ],
    because: [name],
    wayOut: code === name.verdict.code ? undefined : wayOut(code, { domain: k.domain })
  })
}

/** A block: what of which domain contains it (V4). */
async function content (context: Context, scene: SceneOf, ref: Reference, io: CommandIo): Promise<Explained> {
  const { blocks, audience } = context.runtime.store
  const artifact = await blocks.get(ref)
  const held = check('S-2', artifact !== undefined, `${tagName(artifact?.typeTag)}, ${artifact?.payload.length ?? 0} bytes, hashes to its reference`)
  for (const domain of context.runtime.active()) {
    const k = await context.runtime.knowledge(domain)
    if (k.authority().tip === undefined || !audience.heldFor(domain, ref)) continue
    for (const entry of k.view().current.values()) {
      if (entry.ref === NONE || !(await contains(blocks, entry.ref, ref, io.signal))) continue
      return node(tagName(artifact?.typeTag), verdict(entry.code), { ref, checks: [held, check('V4', true, `contained in ${showName(entry.name)} of ${shortDomain(domain)}`)], because: [explainName(scene(k), entry.name)] })
    }
  }
  return node(tagName(artifact?.typeTag), verdict('unclaimed'), { ref, checks: [held, check('V4', false, 'no exported record of a held domain contains it')] })
}
