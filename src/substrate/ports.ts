/**
 * The two ports of the disk. The commit order is pure code over them (pack-store.ts), so that the simulator's disk, which loses whatever was not
 * synced, runs the very code that a node runs (THREATS 28).
 */

export type KvOp =
  | { readonly type: 'put', readonly key: Uint8Array, readonly value: Uint8Array }
  | { readonly type: 'del', readonly key: Uint8Array }

/** An ordered map of bytes. */
export interface Kv {
  /** Synchronous: a lookup costs about a microsecond, a promise for each would cost more than the lookup. The bytes belong to the caller. */
  get: (key: Uint8Array) => Uint8Array | undefined
  /**
   * Applies all of `ops` in their order or none of them, now and after a crash. With `sync` it has reached the disk when the promise settles;
   * without, a crash may lose it (whole) together with everything after it.
   */
  batch: (ops: readonly KvOp[], sync: boolean) => Promise<void>
  /** Entries with gte <= key < lt in bytewise order of the keys. */
  entries: (gte: Uint8Array, lt: Uint8Array) => AsyncIterable<[Uint8Array, Uint8Array]>
  close: () => Promise<void>
}

/** A file that only grows at its end. */
export interface Log {
  /** bytes, those not yet synced included, and what an append that failed has written */
  readonly size: number
  /** May stay in the cache of the operating system. `bytes` must not change until the promise settles. One append at a time. */
  append: (bytes: Uint8Array) => Promise<void>
  /** Up to `length` bytes from `offset`, fewer only where the log ends. The bytes belong to the caller. */
  read: (offset: number, length: number) => Promise<Uint8Array>
  /** What was appended before the call survives a crash once this settles. Appends may go on meanwhile. */
  sync: () => Promise<void>
  truncate: (size: number) => Promise<void>
  close: () => Promise<void>
}

/** The numbered logs of one store. */
export interface Packs {
  list: () => Promise<number[]>
  /** undefined when there is none of this number. */
  open: (pack: number) => Promise<Log | undefined>
  /** Opens, or makes an empty one; that the log exists survives a crash once this settles. */
  create: (pack: number) => Promise<Log>
  /** Removes one, open or not; what isn't there is no error. A crash may bring it back. */
  remove: (pack: number) => Promise<void>
}

/**
 * First byte of each key: one map holds everything of a store, so that one batch can make a head and all that it needs visible together.
 * Whoever adds a kind of entry adds its byte here.
 */
export const KEYSPACE = {
  /** 'a' domain digest, block digest → u32 generation [‖ 0: held back before]: held for that domain (RULES V1) */
  audience: 0x61,
  /** 'b' block digest → where it lies */
  block: 0x62,
  /** 'c' domain digest, Reference → ArtifactBytes of a control object (federation/ledger.ts) */
  control: 0x63,
  /** 'd' domain digest → what this node does with the domain */
  domain: 0x64,
  /** 'e' domain digest, block digest → u8: content root that is named by erased leaves only, or by what is exported no more (federation/upkeep.ts) */
  erased: 0x65,
  /** 'g' domain digest → generations of the domain's own exports */
  generation: 0x67,
  /** 'h' domain digest → u64 bytes charged to the domain */
  heldBytes: 0x68,
  /** 'l' lane digest, u8 branch, u64 index → the leaf's 42 bytes */
  leaf: 0x6c,
  /** 'o' domain digest, block digest → u64 bytes that this root needs at least, u64 bytes charged and u64 quota when that was reckoned (federation/quota.ts) */
  over: 0x6f,
  /** 'p' → pack number and length that are durable */
  packs: 0x70,
  /** 'q' block digest → where a damaged copy lies */
  quarantine: 0x71,
  /** 't' lane digest, u8 branch → ReferenceBytes of the branch's head */
  tip: 0x74,
  /** 'u' → such blocks are noted; 'u' block digest → put here by hand and named by no record: no collector takes it unless told to (federation/garbage.ts) */
  put: 0x75,
  /** 'w' domain digest, block digest → everything below this root is held for the domain */
  whole: 0x77,
  /** 'y' lane digest, body digest → payload of a leaf body */
  body: 0x79,
  /** 'z' block digest → u8: a domain gave it up, for which it was here, 1 = our own; what no domain needs then goes whatever the policy says of leftovers */
  givenUp: 0x7a
} as const
