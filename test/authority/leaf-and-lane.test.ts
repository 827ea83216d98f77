import { describe, expect, test } from 'vitest'
import { LaneKnowledge } from '../../src/authority/lane-knowledge.js'
import { viewLane } from '../../src/authority/lane-view.js'
import { judgeLeaf, type LaneRights } from '../../src/authority/leaf-rules.js'
import { defaultPolicy } from '../../src/authority/policy.js'
import type { Role } from '../../src/authority/role-names.js'
import { VERDICT_CODES } from '../../src/authority/verdict.js'
import { laneCodec, PUBLISHED } from '../../src/publication/lane.js'
import { type Body, leafOf } from '../../src/publication/leaf.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { digestFrom, makeDomain, refFrom, testKey } from '../helpers/authority-fixtures.js'

const alice = testKey('alice')
const salt = digestFrom('salt').slice(0, 32)
const publish: Body = { kind: 'publish', salt, name: 'a', ref: refFrom('content'), mode: 0o644 }
const receipt: Body = { kind: 'receipt', salt, ref: refFrom('receipt') }
const vouch: Body = { kind: 'vouch', salt, lane: refFrom('lane'), snapshot: refFrom('head') }
const audited: Body = { kind: 'statement', salt, type: 'audited', ref: refFrom('report') }

describe('T2: a role that the principal lacks and one that the policy forbids are told apart', () => {
  const rights = (roles: Role[], allowed: Role[]): LaneRights => ({
    principal: { principal_id: alice.id, public_key: alice.publicKey, roles },
    scope: { principal_id: alice.id, prefixes: [''], programs: [NONE] },
    policy: {
      ...defaultPolicy,
      publication_policy: { ...defaultPolicy.publication_policy, allowed_roles: allowed },
      execution_policy: { ...defaultPolicy.execution_policy, allowed_roles: allowed }
    }
  })

  test.each<[Body, Role[], Role[], string]>([
    [publish, ['publish'], ['publish'], 'accepted'],
    [publish, ['federate'], ['publish'], 'role-missing'],
    [publish, ['federate'], ['federate'], 'role-missing'],
    [publish, ['produce'], ['publish'], 'role-not-allowed'],
    [publish, ['publish'], [], 'role-not-allowed'],
    // One fitting role that is allowed is enough; it must be the same one that fits.
    [publish, ['produce', 'publish'], ['publish'], 'accepted'],
    [publish, ['federate', 'produce'], ['federate', 'publish'], 'role-not-allowed'],
    [receipt, ['execute'], ['execute'], 'accepted'],
    [receipt, ['execute'], ['publish'], 'role-not-allowed'],
    [receipt, ['publish'], ['publish'], 'role-missing'],
    // No section speaks of these.
    [vouch, ['federate'], [], 'accepted'],
    [vouch, ['produce'], [], 'role-missing'],
    [audited, ['publish'], [], 'role-missing']
  ])('%#', (body, roles, allowed, code) => {
    const { leaf, body: payload } = leafOf(1, body)
    const judged = judgeLeaf(leaf, payload, rights(roles, allowed))
    expect(judged.code).toBe(code)
    expect(judged.status).toBe(VERDICT_CODES.get(judged.code)?.status)
  })
})

describe('L1: the manifest that a lane names', () => {
  const d = makeDomain({ principals: [{ key: alice }] })
  const onChain = d.tip
  const dropped = d.manifest().ref
  const rejected = d.manifest({ fields: { version: 9 } }).ref
  const unsigned = d.manifest({ after: dropped, signer: false }).ref
  d.renew({ base: onChain })
  const other = makeDomain({ seed: 'other' })
  const authority = d.authority()

  test.each<[string, Reference, string, string]>([
    ['on the chain', onChain, 'deferred', 'log-missing'],
    ['valid, off the chain', dropped, 'void', 'manifest-off-chain'],
    ['not held', refFrom('nothing'), 'deferred', 'manifest-missing'],
    ['held, unsigned', unsigned, 'deferred', 'signature-missing'],
    ['rejected', rejected, 'rejected', 'version-gap'],
    ['no manifest but a root entry', d.domain, 'void', 'manifest-off-chain'],
    ['of another domain', other.tip, 'deferred', 'manifest-missing']
  ])('%s', (what, manifest, status, code) => {
    const lane = { domain_id: d.domain, principal: alice.id, manifest, visibility: PUBLISHED, nonce: digestFrom(what), previous: NONE } as const
    expect(viewLane(new LaneKnowledge(laneCodec.reference(lane), lane), authority)).toMatchObject({ status, code, limit: 0 })
  })
})
