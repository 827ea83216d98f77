/** A policy as people write it: YAML with comments, `publish.policy`. Read strictly and with the line of every mistake. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { type DomainPolicy, policyCodec, policyFault } from '../../authority/policy.js'
import { parseRole } from '../../authority/role-names.js'
import type { Role } from '../../authority/manifest.js'
import { compareUtf8 } from '../../substrate/bytes.js'
import { parseDomain } from '../../substrate/domain-id.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import type { Reference } from '../../substrate/reference.js'
import { inputFailureAs } from '../files/failure.js'
import { LocatedYaml } from './located-yaml.js'
import { POLICY_SCHEMA } from './policy-schema.js'

const HINT = 'config/publish.policy is a sample with comments; `diad policy show` prints the one in force'

/** Throws DiadError `policy-unreadable`, and what {@link parsePolicy} throws. */
export function readPolicyFile (path: string): DomainPolicy {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (err) {
    throw inputFailureAs('policy-unreadable', err, path, 'the policy')
  }
  return parsePolicy(text, basename(path))
}

/** What comes from the schema: every default is there. */
interface Written {
  publication_policy: { require_signature: boolean, allowed_roles: string[], snapshot_required: boolean }
  execution_policy: { per_signature_required: boolean, allowed_roles: string[], deterministic_only: boolean }
  federation_policy: { export_published_only: boolean, require_snapshot: boolean, trusted_domains: string[] }
  retention_policy: { gc_unpublished_allowed: boolean, min_snapshot_retention: number }
  visibility_policy: { internal_hidden: boolean, published_read_only: boolean }
}

let compiled: ValidateFunction | undefined

/** `file` = what errors call it. Throws DiadError `bad-policy`: `publish.policy:7:18: what is there; expected what should be`, and in `more` a line for each further mistake. */
export function parsePolicy (text: string, file: string): DomainPolicy {
  const source = new LocatedYaml(text, file, 'bad-policy', HINT)
  const data = withSections(source.data)
  compiled ??= new Ajv({ strict: true, useDefaults: true, allErrors: true, verbose: true }).compile(POLICY_SCHEMA)
  if (!compiled(data)) throw allOf(source, compiled.errors ?? [])
  const { publication_policy: p, execution_policy: e, federation_policy: f, retention_policy: r, visibility_policy: v } = data as Written
  const faults: DiadError[] = []
  const policy: DomainPolicy = {
    version: 1,
    reserved0: 0,
    publication_policy: { ...p, allowed_roles: rolesOf(source, '/publication_policy/allowed_roles', p.allowed_roles, faults) },
    execution_policy: { ...e, allowed_roles: rolesOf(source, '/execution_policy/allowed_roles', e.allowed_roles, faults) },
    federation_policy: { ...f, trusted_domains: domainsOf(source, f.trusted_domains, faults) },
    retention_policy: r,
    visibility_policy: v
  }
  if (faults.length > 0) throw together(faults)
  const fault = policyFault(policy)
  if (fault !== undefined) throw source.fault('', fault.text, 'a policy that judges can support')
  // Every node has to come to the same bytes.
  policyCodec.reference(policy)
  return policy
}

/** A section in which nothing can vary may be left out as a whole. */
function withSections (data: unknown): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data
  return { ...data, visibility_policy: (data as Record<string, unknown>)['visibility_policy'] ?? {} }
}

/** All mistakes, in the order of the file. A name that is none is told in the place of the one that is missing for it. */
function allOf (source: LocatedYaml, errors: readonly ErrorObject[]): DiadError {
  const strange = new Set(errors.filter((e) => e.keyword === 'additionalProperties').map((e) => e.instancePath))
  return together(errors.filter((e) => e.keyword !== 'required' || !strange.has(e.instancePath)).map((e) => faultOf(source, e)))
}

function together (faults: DiadError[]): DiadError {
  const place = (err: DiadError): number[] => /:(\d+):(\d+): /.exec(err.message)?.slice(1).map(Number) ?? [0, 0]
  const byPlace = (a: number[], b: number[]): number => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0)
  const [first = '', ...more] = [...new Set(faults.sort((a, b) => byPlace(place(a), place(b))).map((err) => err.message))]
  return new DiadError('bad-policy', first, HINT, { more })
}

function faultOf (source: LocatedYaml, error: ErrorObject): DiadError {
  const at = error.instancePath
  const expected = (error.parentSchema as { description?: string } | undefined)?.description ?? 'something else'
  switch (error.keyword) {
    case 'required': return source.fault(at, `${JSON.stringify((error.params as { missingProperty: string }).missingProperty)} is missing`, expected)
    case 'additionalProperties': {
      const name = (error.params as { additionalProperty: string }).additionalProperty
      const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {}).join(', ')
      return source.fault(`${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, `${JSON.stringify(name)} is no entry of a policy`, `one of ${known}`, true)
    }
    case 'uniqueItems': return source.fault(`${at}/${(error.params as { i: number }).i}`, 'the same stands here twice', expected)
    default: return source.fault(at, `${shown(error.data)} stands here`, expected)
  }
}

function shown (value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function rolesOf (source: LocatedYaml, pointer: string, names: readonly string[], faults: DiadError[]): Role[] {
  const out = new Set<Role>()
  names.forEach((name, i) => {
    // The schema knows the names; two of them may mean one role.
    const role = parseRole(name) as Role
    if (out.has(role)) faults.push(source.fault(`${pointer}/${i}`, `the role ${role} is in the list twice`, 'each role once'))
    out.add(role)
  })
  return [...out].sort(compareUtf8)
}

function domainsOf (source: LocatedYaml, texts: readonly string[], faults: DiadError[]): Reference[] {
  const out = new Set<Reference>()
  texts.forEach((text, i) => {
    const at = `/federation_policy/trusted_domains/${i}`
    let domain: Reference
    try {
      domain = parseDomain(text)
    } catch (err) {
      if (!(err instanceof MalformedError)) throw err
      faults.push(source.fault(at, `${shown(text)} is no DomainID: ${err.message}`, 'a DomainID: dom1… in full, 68 hex digits or a CID'))
      return
    }
    if (out.has(domain)) faults.push(source.fault(at, 'the same domain is in the list twice', 'each domain once'))
    out.add(domain)
  })
  return [...out].sort(compareUtf8)
}
