/** The readable domain root, in place or sealed, against the signed manifest that it was drawn from: whatever its own lists say, this can't be forged. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import { policyHash } from '../../authority/policy.js'
import { domainText } from '../../substrate/domain-id.js'
import { digestOf, type Reference } from '../../substrate/reference.js'
import { parsePolicy } from '../policy/policy-file.js'
import { walkFiles } from '../pins/sums.js'

const TOP = new Set(['domain.id', 'domain.pubkey', 'authorities', 'policies', 'attestations'])

/** How `root` differs from what the manifest says, in words; empty = not at all, or the manifest isn't held. */
export function againstManifest (root: string, k: DomainKnowledge, manifest: Reference): string[] {
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
    const wanted = [m.root_key, ...m.principals.map((p) => p.public_key)].sort()
    const folder = join(root, 'authorities')
    const held = existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8').trim()).sort() : []
    if (held.join() !== wanted.join()) out.push(`authorities/ lists other keys than manifest ${m.version}`)
    const policy = text('policies/publish.policy')
    if (policy === undefined) out.push('policies/publish.policy is missing')
    else if (policyHash(parsePolicy(policy, 'policies/publish.policy')) !== m.policy_hash) out.push(`policies/publish.policy is not the policy of manifest ${m.version}`)
    out.push(...attestations(root, k))
  } catch (err) {
    out.push(err instanceof Error ? err.message : String(err))
  }
  return out
}

/** What says of a seal which heads it anchors must say what the manifest's cuts say. */
function attestations (root: string, k: DomainKnowledge): string[] {
  const folder = join(root, 'attestations')
  const out: string[] = []
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (!/^seal-.*\.json$/.test(name)) continue
    const fields = new Map(Object.entries(JSON.parse(readFileSync(join(folder, name), 'utf8')) as object)) as Map<string, unknown>
    const cuts = k.authority().judged.get(fields.get('manifest') as Reference)?.cuts
    const lanes: unknown = fields.get('lanes')
    const said = Array.isArray(lanes) ? (lanes as Array<{ lane?: Reference, snapshot?: Reference }>).map((l) => `${l.lane ?? ''} ${l.snapshot ?? ''}`) : []
    const signed = cuts === undefined ? undefined : [...cuts.values()].map((c) => `${c.lane} ${c.snapshot}`)
    if (fields.get('domain') !== domainText(k.domain) || signed === undefined || said.join() !== signed.join()) out.push(`attestations/${name} says something else than the manifest that it names (${digestOf(k.domain).slice(0, 12)}…)`)
  }
  return out
}
