/** Writing a policy for people. */
import type { DomainPolicy } from '../../authority/policy.js'
import { domainText } from '../../substrate/domain-id.js'

/** The policy with a comment on every field; `parsePolicy` makes the same policy of it. */
export function policyText (policy: DomainPolicy): string {
  const { publication_policy: p, execution_policy: e, federation_policy: f, retention_policy: r, visibility_policy: v } = policy
  const list = (values: readonly string[]): string => `[${values.join(', ')}]`
  const domains = f.trusted_domains.length === 0 ? ' []' : f.trusted_domains.map((d) => `\n    - ${domainText(d)}`).join('')
  return `# What a domain allows, for everyone to judge by. The switches that say true can't be turned off; they stand here so that
# nobody has to wonder. Changing anything needs the offline roots: diad policy set FILE.
version: ${policy.version}

# Records are judged for ever by the policy of the manifest that their lane was opened under.
publication_policy:
  require_signature: ${p.require_signature}
  # Which of a key's roles let it publish, replace and withdraw names. A key needs the role in the manifest too.
  allowed_roles: ${list(p.allowed_roles)}
  snapshot_required: ${p.snapshot_required}

execution_policy:
  per_signature_required: ${e.per_signature_required}
  # Which roles let a key add receipts of executions.
  allowed_roles: ${list(e.allowed_roles)}
  deterministic_only: ${e.deterministic_only}

# From here on the policy of the newest manifest counts, for old records too: it says what a node serves and keeps.
federation_policy:
  export_published_only: ${f.export_published_only}
  require_snapshot: ${f.require_snapshot}
  # The DomainIDs that may follow this domain. Empty: everybody.
  trusted_domains:${domains}

retention_policy:
  # Whether nodes may remove content that no record reaches.
  gc_unpublished_allowed: ${r.gc_unpublished_allowed}
  # For how many later records content stays that was replaced or withdrawn; and never before an anchor settles both.
  min_snapshot_retention: ${r.min_snapshot_retention}

visibility_policy:
  internal_hidden: ${v.internal_hidden}
  published_read_only: ${v.published_read_only}
`
}
