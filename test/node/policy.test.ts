import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { defaultPolicy, type DomainPolicy } from '../../src/authority/policy.js'
import { ROLES } from '../../src/authority/role-names.js'
import { parsePolicy } from '../../src/node/policy/policy-file.js'
import { POLICY_SCHEMA } from '../../src/node/policy/policy-schema.js'
import { policyText } from '../../src/node/policy/policy-text.js'
import { domainText } from '../../src/substrate/domain-id.js'
import { DiadError } from '../../src/substrate/errors.js'
import { refFrom } from '../helpers/authority-fixtures.js'

const sample = readFileSync('config/publish.policy', 'utf8')

const domains = Array.from({ length: 6 }, (_, i) => refFrom(`trusted ${i}`)).sort()
const policies: fc.Arbitrary<DomainPolicy> = fc.record({
  publication: fc.subarray([...ROLES]), execution: fc.subarray([...ROLES]), trusted: fc.subarray(domains), gc: fc.boolean(), keep: fc.nat(0xffffffff)
}).map(({ publication, execution, trusted, gc, keep }) => ({
  ...defaultPolicy,
  publication_policy: { ...defaultPolicy.publication_policy, allowed_roles: publication },
  execution_policy: { ...defaultPolicy.execution_policy, allowed_roles: execution },
  federation_policy: { ...defaultPolicy.federation_policy, trusted_domains: trusted },
  retention_policy: { gc_unpublished_allowed: gc, min_snapshot_retention: keep }
}))

test('what is written of a policy is read as the same policy', () => {
  fc.assert(fc.property(policies, (policy) => { expect(parsePolicy(policyText(policy), 'f')).toEqual(policy) }))
})

test('the sample is the policy that init gives, and fits the schema that stands beside it', () => {
  expect(sample).toBe(policyText(defaultPolicy))
  expect(parsePolicy(sample, 'publish.policy')).toEqual(defaultPolicy)
  const schema: unknown = JSON.parse(readFileSync('config/policy.schema.json', 'utf8'))
  expect(schema).toEqual(POLICY_SCHEMA)
  expect(new Ajv({ strict: true }).validate(schema as object, parse(sample))).toBe(true)
})

test('switches that can\'t be turned off may be left out, and roles have nouns', () => {
  const short = 'publication_policy: { allowed_roles: [publisher, producer] }\nexecution_policy: { allowed_roles: [executor] }\n' +
    `federation_policy: { trusted_domains: [${domainText(domains[0]!)}] }\nretention_policy: { gc_unpublished_allowed: false, min_snapshot_retention: 3 }\n`
  expect(parsePolicy(short, 'f')).toEqual({
    ...defaultPolicy,
    publication_policy: { ...defaultPolicy.publication_policy, allowed_roles: ['produce', 'publish'] },
    federation_policy: { ...defaultPolicy.federation_policy, trusted_domains: [domains[0]] },
    retention_policy: { gc_unpublished_allowed: false, min_snapshot_retention: 3 }
  })
})

describe('a mistake is named with its line and column', () => {
  const lines = sample.split('\n')
  const at = (field: string, after = ''): number => lines.findIndex((l, i) => l.includes(field) && i > lines.findIndex((k) => k.startsWith(after))) + 1
  const change = (line: number, text: string): string => lines.map((l, i) => i === line - 1 ? text : l).join('\n')
  const roles = at('  allowed_roles:')
  const keep = at('  min_snapshot_retention:')
  const trusted = at('  trusted_domains:')

  const problems = (text: string): string[] => {
    try {
      parsePolicy(text, 'p')
    } catch (err) {
      if (err instanceof DiadError) return [err.message, ...err.more]
      throw err
    }
    return []
  }

  test('and so are all of them at once, in the order of the file', () => {
    expect(problems(change(roles, '  allowed_rols: [publish]').replace(/min_snapshot_retention: .*/, 'min_snapshot_retention: many'))).toEqual([
      expect.stringMatching(new RegExp(`^p:${roles}:3: "allowed_rols" is no entry`)), expect.stringMatching(new RegExp(`^p:${keep}:27: "many" stands here`))])
    expect(problems(change(roles, '  allowed_roles: [publish, publisher]').replace(/trusted_domains: .*/, 'trusted_domains: [alice, bob]'))).toEqual([
      expect.stringMatching(new RegExp(`^p:${roles}:28: the role publish`)), expect.stringMatching(new RegExp(`^p:${trusted}:21: "alice" is no DomainID`)), expect.stringMatching(new RegExp(`^p:${trusted}:28: "bob" is no`))])
  })

  test.each<[string, string, string, RegExp]>([
    ['a role that is none', change(roles, '  allowed_roles: [publish, pubish]'), `${roles}:28`, /"pubish" stands here; expected one of the roles/],
    ['a role twice', change(roles, '  allowed_roles: [publish, publisher]'), `${roles}:28`, /the role publish is in the list twice/],
    ['not a list', change(roles, '  allowed_roles: publish'), `${roles}:18`, /"publish" stands here; expected who may publish/],
    ['a switch turned off', change(at('require_signature'), '  require_signature: false'), `${at('require_signature')}:22`, /false stands here; expected true: every record/],
    ['a name that is none', change(keep, '  min_snapshot_retentoin: 4'), `${keep}:3`, /"min_snapshot_retentoin" is no entry of a policy/],
    ['a name left out', change(keep, ''), `${keep - 2}:3`, /"min_snapshot_retention" is missing/],
    ['a name too much', change(keep, '  min_snapshot_retention: 4\n  more: 1'), `${keep + 1}:3`, /"more" is no entry of a policy; expected one of gc_unpublished_allowed, min_/],
    ['a number below zero', change(keep, '  min_snapshot_retention: -1'), `${keep}:27`, /-1 stands here; expected a whole number/],
    ['no DomainID', change(trusted, '  trusted_domains: [dom1xyz]'), `${trusted}:21`, /"dom1xyz" is no DomainID/],
    ['a domain twice', change(trusted, `  trusted_domains: [${domains[0] ?? ''}, ${domainText(domains[0]!)}]`), `${trusted}:91`, /the same domain/],
    ['a name twice', change(keep, '  min_snapshot_retention: 4\n  min_snapshot_retention: 5'), `${keep + 1}:3`, /stands here twice/],
    ['an alias', change(keep, '  min_snapshot_retention: *a'), `${keep}:27`, /alias|not YAML/],
    ['no YAML', change(keep, '  - ]'), '', /this is not YAML/],
    ['another version', change(at('version:'), 'version: 2'), `${at('version:')}:10`, /2 stands here; expected 1, the version/],
    ['nothing', '', '1:1', /nothing stands here; expected a map with the five sections/],
    ['a list', '- 1', '1:1', /stands here; expected a map/]
  ])('%s', (_what, text, place, words) => {
    let said: unknown
    try {
      parsePolicy(text, 'publish.policy')
    } catch (err) {
      said = err
    }
    expect(said).toMatchObject({ code: 'bad-policy' })
    expect((said as Error).message).toMatch(words)
    expect((said as Error).message).toContain(`publish.policy:${place}`)
  })
})
