/** The order of a bundle (RULES B3), and which of its parts an artifact belongs to. The order is all there is: a bundle has no object of its own. */
import type { Artifact } from '../substrate/artifact.js'
import { signatureCodec } from '../substrate/signature.js'
import { TAG } from '../substrate/type-tags.js'
import { hasBody } from '../publication/leaf.js'

export const SECTIONS = ['root chain', 'certificates', 'manifests', 'evidence', 'lanes', 'heads', 'leaf ranges', 'bodies', 'blocks'] as const

export const SECTION = { rootChain: 0, certificates: 1, manifests: 2, evidence: 3, lanes: 4, heads: 5, ranges: 6, bodies: 7, blocks: 8 } as const
/**
 * Logs of one lane in one file: contradicting anchors and vouches each need theirs to be judged (K4, A2), and each further one is compared with all others.
 * Heads on still more branches come without.
 */
export const LOGS_OF_LANE = 16

/**
 * Bytes of a file's authority, evidence, lanes and heads, which are held in memory until their lanes' logs prove them: 100,000 lanes. Leaves and bodies
 * need no bound of their own: each range is proved by a head that the lane's own key signed, each body is named by such a leaf.
 */
export const CONTROL_BYTES = 64 * 1024 * 1024

export type Section = typeof SECTION[keyof typeof SECTION]

/** undefined for what has no place in a bundle: signatures about neither authority nor heads. Throws `MalformedError` for a signature that is none. */
export function sectionOf (artifact: Artifact): Section | undefined {
  const { typeTag } = artifact
  switch (typeTag) {
    case undefined: return SECTION.blocks
    case TAG.offlineRootSet:
    case TAG.rootEntry: return SECTION.rootChain
    case TAG.authorityCertificate:
    case TAG.domainPolicy: return SECTION.certificates
    case TAG.manifest:
    case TAG.cutList:
    case TAG.domainMoved: return SECTION.manifests
    case TAG.forkEvidence: return SECTION.evidence
    case TAG.lane: return SECTION.lanes
    case TAG.snapshot: return SECTION.heads
    case TAG.leafRange: return SECTION.ranges
    case TAG.signature: return ofPurpose(signatureCodec.from(artifact).purpose)
    default: return hasBody(typeTag - TAG.body) ? SECTION.bodies : SECTION.blocks
  }
}

function ofPurpose (purpose: string): Section | undefined {
  if (purpose === 'root-entry') return SECTION.rootChain
  if (purpose === 'manifest' || purpose === 'domain-moved') return SECTION.manifests
  return purpose === 'snapshot' ? SECTION.heads : undefined
}
