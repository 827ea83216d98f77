/** Every limit of the judged formats in one table. A limit that stands in RULES or SCHEMA is part of the format: two nodes must not differ in it. */
export const LIMITS = {
  /** bytes of an artifact's payload: one block travels and is verified whole, so this bounds the memory a peer can make us hold for one item */
  payloadBytes: 1024 * 1024,
  /** nesting of a decoded CBOR item: the deepest of our schemas needs 5 */
  cborDepth: 8,
  /** bytes of a leaf body's payload: bodies travel with the log, which everyone fetches whole */
  bodyBytes: 4096,
  /** bytes of content up to which a file is one untagged artifact, and size of the chunks above that */
  chunkBytes: 256 * 1024,
  /** parts of one File object: 8,192 x 256 KiB = 2 GiB a level */
  fileParts: 8192,
  /** entries of one Tree leaf or node */
  treeEntries: 2048,
  /** payload bytes of one Tree leaf or node */
  treeBytes: 512 * 1024,
  /** a Tree leaf ends after an entry whose SHA-256(name) starts with a u16 below this: one entry in 512 */
  treeCut: 128,
  /** UTF-8 bytes of one path segment, as on common file systems */
  segmentBytes: 255,
  /** UTF-8 bytes of a whole published name */
  pathBytes: 1024,
  /** bytes of a symbolic link's target */
  linkBytes: 4095,
  /** leaves of one LeafRange: 4,096 x 42 B = 168 KiB */
  rangeLeaves: 4096,
  /** RULES R3: the greatest step of logseq from leaf to leaf, and the greatest first value */
  logseqStep: 2 ** 24,
  /** hashes of a Merkle path: the height of a log of 2^53 leaves */
  pathHashes: 53,
  /** hashes of a consistency or range proof: both edges of the tree */
  proofHashes: 107
} as const
