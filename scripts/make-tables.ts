/**
 * The tables of protocols/ that are made from the code, so that the two can't differ: the registry of type tags, the verdict codes, the limits, which
 * role a leaf kind needs, and what each role may do. `npx tsx scripts/make-tables.ts` writes them; test/docs/tables.test.ts checks that nothing has to be written.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AUDITED, judgeLeaf, KIND_RULES } from '../src/authority/leaf-rules.js'
import { defaultPolicy } from '../src/authority/policy.js'
import { ROLES } from '../src/authority/role-names.js'
import { type Status, VERDICT_CODES } from '../src/authority/verdict.js'
import { POLICY_SCHEMA } from '../src/node/policy/policy-schema.js'
import { policyText } from '../src/node/policy/policy-text.js'
import { bareLeaf, type Body, KIND, type KindName, leafOf } from '../src/publication/leaf.js'
import { LIMITS } from '../src/substrate/limits.js'
import { type Hash, NONE, type Reference } from '../src/substrate/reference.js'
import { TAG, tagName } from '../src/substrate/type-tags.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PAGES = join(ROOT, 'protocols')

const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',')
const hex = (n: number): string => `0x${n.toString(16).toUpperCase().padStart(8, '0')}`

function table (head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

export function typeTagsPage (): string {
  const objects = Object.entries(TAG).filter(([key]) => key !== 'body').map(([, tag]) => [`\`${hex(tag)}\``, tagName(tag)])
  const bodies = Object.entries(KIND).filter(([name]) => name !== 'tick' && name !== 'close').map(([name, kind]) => [`\`${hex(TAG.body + kind)}\``, `leaf body: ${name} (kind ${kind})`])
  return `# Type tags

Made from \`src/substrate/type-tags.ts\` and \`src/publication/leaf.ts\` by \`scripts/make-tables.ts\`. The tag is part of an artifact's identity
([substrate.md](substrate.md) S-1, S-3). Shapes: [schema/diad.cddl](schema/diad.cddl).

${table(['tag', 'object'], [...objects, ...bodies])}

The block \`0x0D1A0000\` to \`0x0D1AFFFF\` is ours. Kinds 9 and 10 (tick, close) have no body, so their tags are never used. Chunks of files are
untagged. Tags are never given a new meaning: a changed shape gets a new one (B5).
`
}

const STATUS_MEANING: Readonly<Record<Status, string>> = {
  accepted: 'valid and in force',
  informational: 'valid, and without effect on a view',
  deferred: 'something is missing, or a named event is waited for; may still become anything',
  contested: 'rests on fork evidence',
  void: 'rests on an authority state, and may change only when that changes',
  rejected: 'final: rests on the bytes and what they name by hash alone'
}

export function verdictCodesPage (): string {
  const parts = (Object.keys(STATUS_MEANING) as Status[]).map((status) => {
    const rows = [...VERDICT_CODES].filter(([, row]) => row.status === status).map(([code, row]) => [`\`${code}\``, row.rule, row.meaning])
    return `## ${status}\n\n${STATUS_MEANING[status][0]?.toUpperCase() ?? ''}${STATUS_MEANING[status].slice(1)}.\n\n${table(['code', 'rule', 'meaning'], rows)}`
  })
  return `# Verdict codes

Made from \`src/authority/verdict.ts\` by \`scripts/make-tables.ts\`. A verdict is a status, a code, every check that was made, and what is missing (R5).
Codes never change their meaning. Each stands with the rule it rests on.

${parts.join('\n\n')}
`
}

/** One row a limit, with the reason that stands above it in the source. */
function limitsTable (): string {
  const source = readFileSync(join(ROOT, 'src/substrate/limits.ts'), 'utf8')
  return table(['limit', 'value', 'what and why'], Object.entries(LIMITS).map(([name, value]) => {
    const reason = new RegExp(`/\\*\\* ([^\\n]*) \\*/\\n  ${name}:`).exec(source)?.[1]
    if (reason === undefined) throw new Error(`the limit ${name} has no reason above it`)
    return [`\`${name}\``, grouped(value), reason]
  }))
}

function rolesTable (): string {
  return table(['kind', 'role', 'policy section', 'scope'], Object.entries(KIND_RULES).map(([kind, rule]) =>
    [kind, rule.roles === 'any' ? 'any' : rule.roles.join(' or '), rule.section, rule.scoped ? 'yes' : 'no']))
}

/** One leaf of each kind, and the one statement that takes more than any role. */
function sampleLeaves (): Array<[string, ReturnType<typeof leafOf>]> {
  const salt = '0'.repeat(32)
  const ref = `0001${'1'.repeat(64)}` as Reference
  const bodies: Body[] = [
    { kind: 'publish', salt, name: 'a', ref, mode: 0 }, { kind: 'tombstone', salt, name: 'a' }, { kind: 'lift', salt, name: 'a', ref, mode: 0 },
    { kind: 'erase', salt, lane: ref, index: 0, leaf_hash: '0'.repeat(64) as Hash }, { kind: 'receipt', salt, ref }, { kind: 'statement', salt, type: 'seen', ref },
    { kind: 'statement', salt, type: AUDITED, ref }, { kind: 'admit', salt, ref }, { kind: 'vouch', salt, lane: ref, snapshot: ref }
  ]
  const named = bodies.map((body): [string, ReturnType<typeof leafOf>] => [body.kind === 'statement' && body.type === AUDITED ? `statement \`${AUDITED}\`` : body.kind, leafOf(1, body)])
  return [...named, ['tick', bareLeaf('tick', 1)], ['close', bareLeaf('close', 1)]]
}

/** Not from a list: each cell is what the judge says of such a leaf, by a key that has this one role and the whole domain, under a policy that allows all. */
function matrixTable (): string {
  const policy = { ...defaultPolicy, publication_policy: { ...defaultPolicy.publication_policy, allowed_roles: [...ROLES] }, execution_policy: { ...defaultPolicy.execution_policy, allowed_roles: [...ROLES] } }
  const leaves = sampleLeaves()
  const left = Object.keys(KIND_RULES).filter((kind) => !leaves.some(([, { leaf }]) => leaf.kind === KIND[kind as KindName]))
  if (left.length > 0) throw new Error(`no sample of ${left.join(', ')}`)
  return table(['leaf', ...ROLES], leaves.map(([name, { leaf, body }]) => [name, ...ROLES.map((role) => {
    const principal = { principal_id: '0'.repeat(64), public_key: '0'.repeat(64), roles: [role] } as Parameters<typeof judgeLeaf>[2]['principal']
    const scope = { principal_id: principal.principal_id, prefixes: [''], programs: [NONE] }
    return judgeLeaf(leaf, body, { principal, scope, policy }).code === 'accepted' ? 'yes' : '-'
  })]))
}

/** `text` with what stands between the marks of `name` replaced. */
function fill (text: string, name: string, made: string): string {
  const start = `<!-- ${name}: made by scripts/make-tables.ts -->\n`
  const end = `\n<!-- end of ${name} -->`
  const from = text.indexOf(start)
  const to = text.indexOf(end)
  if (from < 0 || to < 0) throw new Error(`the page has no place for ${name}`)
  return text.slice(0, from + start.length) + made + text.slice(to)
}

/** Every page with tables as it must be, by its name in protocols/. */
export function pages (): Map<string, string> {
  const now = (page: string): string => readFileSync(join(PAGES, page), 'utf8')
  return new Map([
    ['type-tags.md', typeTagsPage()],
    ['verdict-codes.md', verdictCodesPage()],
    ['substrate.md', fill(now('substrate.md'), 'limits', limitsTable())],
    ['authority.md', fill(now('authority.md'), 'matrix', matrixTable())],
    ['publication.md', fill(now('publication.md'), 'roles', rolesTable())]
  ])
}

/** Files that people copy from, by their path: the policy that init gives, and its format as a schema. test/node/policy.test.ts checks them. */
export function samples (): Map<string, string> {
  return new Map([
    ['config/publish.policy', policyText(defaultPolicy)],
    ['config/policy.schema.json', JSON.stringify(POLICY_SCHEMA, null, 2) + '\n']
  ])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [page, text] of pages()) writeFileSync(join(PAGES, page), text)
  for (const [path, text] of samples()) writeFileSync(join(ROOT, path), text)
}
