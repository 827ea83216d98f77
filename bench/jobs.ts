/** What a worker process can be asked for, and what it says back. All of it is plain JSON over the channel of `fork`. */

export type Job =
  /** the floor of an import: read every file below `path`, hash it, append it to `out`, one fdatasync at the end */
  | { readonly kind: 'copy', readonly path: string, readonly out: string }
  /** the floor of a fetch: gives whoever opens a stream `bytes` in messages of `message` bytes, until it is told to stop */
  | { readonly kind: 'bare-server', readonly bytes: number, readonly message: number }
  | { readonly kind: 'bare-client', readonly address: string, readonly bytes: number }

export type Said =
  /** `ms` of the work alone, without the start of the process */
  | { readonly event: 'done', readonly ms: number }
  | { readonly event: 'listening', readonly address: string }
  | { readonly event: 'failed', readonly why: string }
