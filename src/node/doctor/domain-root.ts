/** The readable domain root, in place or sealed, against the signed manifest that it was drawn from: whatever its own lists say, this can't be forged. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import { policyHash } from '../../authority/policy.js'
import { domainText } from '../../substrate/domain-id.js'
import { principalId } from '../../publication/evidence.js'
import { MalformedError } from '../../substrate/errors.js'
import { digestOf, type Hash, type PublicKey, type Reference } from '../../substrate/reference.js'
import { jsonFields } from '../home/json-fields.js'
import type { SealRecord } from '../pins/records.js'
import { parsePolicy } from '../policy/policy-file.js'
import { walkFiles } from '../pins/sums.js'

const TOP = new Set(['domain.id', 'domain.pubkey', 'authorities', 'policies', 'attestations'])

/** What this home knows besides the manifest: seals whose names can't have been another's when the root was drawn, and, for the root in place, whose names the files bear. */
export interface Beside {
  readonly seals: ReadonlyArray<Pick<SealRecord, 'name' | 'manifest' | 'view'>>
  readonly names?: ReadonlyMap<Hash, string>
}

/** How `root` differs from what the manifest says, in words; empty = not at all, or the manifest isn't held. */
export function againstManifest (root: string, k: DomainKnowledge, manifest: Reference, beside: Beside): string[] {
  const m = k.objects.manifests.get(manifest)
  if (m === undefined) return [`the manifest ${manifest} that it was drawn from is not held`]
  const out: string[] = []
  const text = (path: string): string | undefined => existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined
  const expect = (path: string, wanted: string): void => {
    const held = text(path)
    if (held === undefined) out.push(`${path} is missing`)
    else if (held.trim() !== wanted) out.push(`${path} says something else than manifest ${m.version}`)
  }
  try {
    // Whatever is neither file nor directory is refused by the walk.
    walkFiles(root, () => undefined)
    for (const name of readdirSync(root)) if (!TOP.has(name)) out.push(`${name} doesn't belong there`)
    expect('domain.id', domainText(k.domain))
    expect('domain.pubkey', m.root_key)
    out.push(...authorities(join(root, 'authorities'), m, beside.names))
    for (const name of names(join(root, 'policies'))) if (name !== 'publish.policy') out.push(`policies/${name} doesn't belong there`)
    const policy = text('policies/publish.policy')
    if (policy === undefined) out.push('policies/publish.policy is missing')
    else if (policyHash(parsePolicy(policy, 'policies/publish.policy')) !== m.policy_hash) out.push(`policies/publish.policy is not the policy of manifest ${m.version}`)
    out.push(...attestations(root, k, beside.seals))
  } catch (err) {
    out.push(err instanceof Error ? err.message : String(err))
  }
  return out
}

const names = (folder: string): string[] => existsSync(folder) ? readdirSync(folder).sort() : []

/** Each file by itself: a key under another's name speaks for somebody else. */
function authorities (folder: string, m: { root_key: PublicKey, version: number, principals: ReadonlyArray<{ principal_id: Hash, public_key: PublicKey }> }, given: ReadonlyMap<Hash, string> | undefined): string[] {
  const out: string[] = []
  const left = new Set(m.principals.map((p) => p.public_key))
  const owners = new Map(m.principals.flatMap((p) => given?.has(p.principal_id) === true ? [[given.get(p.principal_id) as string, p.principal_id]] : []))
  for (const file of names(folder)) {
    const key = readFileSync(join(folder, file), 'utf8').trim() as PublicKey
    const name = /^(.*)\.pub$/.exec(file)?.[1]
    const other = `authorities/${file} is not the key that it should be by manifest ${m.version}`
    if (name === undefined) out.push(`authorities/${file} doesn't belong there`)
    else if (name === 'root') {
      if (key !== m.root_key) out.push(other)
    } else if (!left.delete(key)) out.push(`authorities/${file} holds a key that manifest ${m.version} doesn't list, or that another file holds`)
    else {
      const id = principalId(key)
      const owner = owners.get(name) ?? (/^[0-9a-f]{16,64}$/.test(name) ? m.principals.find((p) => p.principal_id.startsWith(name))?.principal_id ?? '' : id)
      if (owner !== id) out.push(other)
    }
  }
  if (!existsSync(join(folder, 'root.pub'))) out.push('authorities/root.pub is missing')
  if (left.size > 0) out.push(`authorities/ lacks ${left.size} keys of manifest ${m.version}`)
  return out
}

const FIELDS: ReadonlySet<string> = new Set(['domain', 'seal', 'manifest', 'manifest_version', 'view', 'lanes'])

/** What says of a seal which heads it anchors must say what the manifest's cuts say. The view of a seal that was removed since is the one thing that nothing here tells. */
function attestations (root: string, k: DomainKnowledge, seals: Beside['seals']): string[] {
  const folder = join(root, 'attestations')
  const out: string[] = []
  for (const file of names(folder)) {
    const seal = /^seal-(.*)\.json$/.exec(file)?.[1]
    if (seal === undefined) {
      out.push(`attestations/${file} doesn't belong there`)
      continue
    }
    const fields = fieldsIn(join(folder, file))
    if (fields === undefined) out.push(`attestations/${file} can't be read`)
    else if (!agrees(fields, seal, k, seals)) out.push(`attestations/${file} says something else than the manifest that it names (${digestOf(k.domain).slice(0, 12)}…)`)
  }
  return out
}

function fieldsIn (path: string): Map<string, unknown> | undefined {
  try {
    return jsonFields(readFileSync(path, 'utf8'))
  } catch (err) {
    if (err instanceof MalformedError) return undefined
    throw err
  }
}

function agrees (fields: ReadonlyMap<string, unknown>, seal: string, k: DomainKnowledge, seals: Beside['seals']): boolean {
  const manifest = fields.get('manifest') as Reference
  const judged = k.authority().judged.get(manifest)
  const record = seals.find((r) => r.name === seal)
  const lanes: unknown = fields.get('lanes')
  if (judged?.cuts === undefined || !Array.isArray(lanes) || [...fields.keys()].some((f) => !FIELDS.has(f))) return false
  if (fields.get('domain') !== domainText(k.domain) || fields.get('seal') !== seal || fields.get('manifest_version') !== judged.manifest.version) return false
  const view = fields.get('view')
  if (typeof view !== 'string' || !/^[0-9a-f]{64}$/.test(view)) return false
  if (record !== undefined && (record.manifest !== manifest || record.view !== view)) return false
  const cuts = [...judged.cuts.values()]
  return lanes.length === cuts.length && cuts.every((c, i) => saysOf(lanes[i] as unknown, c, k))
}

/** A head that isn't held is named without its size and root. */
function saysOf (said: unknown, { lane, snapshot }: { lane: Reference, snapshot: Reference }, k: DomainKnowledge): boolean {
  if (typeof said !== 'object' || said === null) return false
  const { lane: ofLane, snapshot: at, log_size: size, log_root: root, ...more } = said as Record<string, unknown>
  if (ofLane !== lane || at !== snapshot || Object.keys(more).length > 0) return false
  const head = k.lanes.get(lane)?.heads.get(snapshot)?.snapshot
  return (size === undefined && root === undefined) || head === undefined || (size === head.log_size && root === head.log_root)
}
