/**
 * The policy file as a JSON schema (draft 7): what `diad policy check` checks by and what editors read as config/policy.schema.json. Each description
 * says what is expected, in words that an error can end with.
 */
import { ROLE_NAMES } from '../../authority/role-names.js'

const roles = (what: string): object => ({
  type: 'array',
  description: `${what}: a list of the roles ${ROLE_NAMES.join(', ')}, empty for none`,
  items: { enum: ROLE_NAMES, description: `one of the roles ${ROLE_NAMES.join(', ')}` },
  uniqueItems: true
})

/** M9: it can't be turned off, so it needn't be written. */
const always = (what: string): object => ({ const: true, default: true, description: `true: ${what}` })

const section = (description: string, properties: Record<string, object>, required: readonly string[]): object =>
  ({ type: 'object', description, properties, required, additionalProperties: false })

export const POLICY_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'The policy of a diad domain',
  ...section('a map with the five sections publication_policy, execution_policy, federation_policy, retention_policy and visibility_policy', {
    version: { const: 1, default: 1, description: '1, the version of this format' },
    publication_policy: section('the section publication_policy with allowed_roles', {
      require_signature: always('every record is covered by a signature'),
      allowed_roles: roles('who may publish, replace and withdraw names'),
      snapshot_required: always('a record counts once a signed head holds it')
    }, ['allowed_roles']),
    execution_policy: section('the section execution_policy with allowed_roles', {
      per_signature_required: always('a result counts once its receipt is signed'),
      allowed_roles: roles('who may add receipts of executions'),
      deterministic_only: always('only programs that give the same result everywhere')
    }, ['allowed_roles']),
    federation_policy: section('the section federation_policy with trusted_domains', {
      export_published_only: always('internal lanes are never exported'),
      require_snapshot: always('whoever follows sees signed heads only'),
      trusted_domains: {
        type: 'array',
        description: 'a list of the DomainIDs that may follow, empty for everybody',
        items: { type: 'string', description: 'a DomainID: dom1… in full, 68 hex digits or a CID' },
        uniqueItems: true
      }
    }, ['trusted_domains']),
    retention_policy: section('the section retention_policy with gc_unpublished_allowed and min_snapshot_retention', {
      gc_unpublished_allowed: { type: 'boolean', description: 'true or false: whether content that no record reaches may be removed' },
      min_snapshot_retention: { type: 'integer', minimum: 0, maximum: 4294967295, description: 'a whole number: for how many later records replaced or withdrawn content is kept' }
    }, ['gc_unpublished_allowed', 'min_snapshot_retention']),
    visibility_policy: section('the section visibility_policy', {
      internal_hidden: always('internal lanes are served to nobody'),
      published_read_only: always('what is published is never changed, only added to')
    }, [])
  }, ['publication_policy', 'execution_policy', 'federation_policy', 'retention_policy'])
} as const
