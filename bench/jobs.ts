/** What a worker process can be asked for, and what it says back. All of it is plain JSON over the channel of `fork`. */

export type Job =
  /** the floor of an import: read every file below `path`, hash it, append it to `out`, one fdatasync at the end */
  | { readonly kind: 'copy', readonly path: string, readonly out: string }
  /** makes a domain in `home`, then publishes `path` in it */
  | { readonly kind: 'publish', readonly home: string, readonly path: string }
  /** `diad serve`; says `listening`. Publishes at each `publish` message and says `changed` at each change of a view. */
  | { readonly kind: 'serve', readonly home: string, readonly follow?: { readonly domain: string, readonly address: string } }
  /** brings everything of `domain` from `address` into a new `home` */
  | { readonly kind: 'follow', readonly home: string, readonly domain: string, readonly address: string }
  /** the floor of a fetch: gives whoever opens a stream `bytes` in messages of `message` bytes */
  | { readonly kind: 'bare-server', readonly bytes: number, readonly message: number }
  | { readonly kind: 'bare-client', readonly address: string, readonly bytes: number }

/** From the bench to a worker that goes on until it is told to stop. */
export type Order = { readonly order: 'publish', readonly path: string, readonly as: string } | { readonly order: 'stop' }

export interface Done {
  readonly event: 'done'
  /** of the work alone: neither the start of the process nor opening the store or the network */
  readonly ms: number
  /** the process's largest resident size so far, in bytes; 0 where the system doesn't say */
  readonly peak: number
  readonly bytes?: number
  readonly blocks?: number
  readonly domain?: string
}

export type Said =
  | Done
  | { readonly event: 'listening', readonly address: string }
  /** `at`: ms of the clock that all processes share; `names`: how many the view has now, which says which publication it shows */
  | { readonly event: 'changed', readonly at: number, readonly by: string, readonly names: number }
  | { readonly event: 'published', readonly started: number, readonly ended: number }
  | { readonly event: 'failed', readonly why: string }

/** ms on the machine's monotonic clock, the same for every process. */
export function sharedClock (): number {
  return Number(process.hrtime.bigint()) / 1e6
}
