/** The type-tag registry: 0x0D1A00nn. Mirrored in protocols/type-tags.md, which scripts/make-tables.ts makes from it. */
const BASE = 0x0d1a0000

export const TAG = {
  offlineRootSet: BASE + 0x01,
  authorityCertificate: BASE + 0x02,
  rootEntry: BASE + 0x03,
  domainPolicy: BASE + 0x04,
  manifest: BASE + 0x05,
  cutList: BASE + 0x06,
  signature: BASE + 0x07,
  lane: BASE + 0x08,
  snapshot: BASE + 0x09,
  leafRange: BASE + 0x0a,
  forkEvidence: BASE + 0x0b,
  admissionRequest: BASE + 0x0c,
  admissionRecord: BASE + 0x0d,
  domainMoved: BASE + 0x0e,
  file: BASE + 0x10,
  tree: BASE + 0x11,
  /** a leaf body's tag is this plus the leaf's kind */
  body: BASE + 0x20
} as const

const NAMES = new Map<number, string>([
  [TAG.offlineRootSet, 'OfflineRootSet'],
  [TAG.authorityCertificate, 'AuthorityCertificate'],
  [TAG.rootEntry, 'RootEntry'],
  [TAG.domainPolicy, 'DomainPolicy'],
  [TAG.manifest, 'DomainAuthorityManifest'],
  [TAG.cutList, 'CutList'],
  [TAG.signature, 'Signature'],
  [TAG.lane, 'Lane'],
  [TAG.snapshot, 'Snapshot'],
  [TAG.leafRange, 'LeafRange'],
  [TAG.forkEvidence, 'ForkEvidence'],
  [TAG.admissionRequest, 'AdmissionRequest'],
  [TAG.admissionRecord, 'AdmissionRecord'],
  [TAG.domainMoved, 'DomainMoved'],
  [TAG.file, 'File'],
  [TAG.tree, 'Tree']
])

/** What a person reads for a tag: the object's name, `Body(kind)`, or the number in hex. */
export function tagName (tag: number | undefined): string {
  if (tag === undefined) return 'untagged'
  const kind = tag - TAG.body
  return NAMES.get(tag) ?? (kind >= 1 && kind <= 10 ? `Body(${kind})` : `0x${tag.toString(16).padStart(8, '0')}`)
}
