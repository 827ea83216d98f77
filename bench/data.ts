/** The input: files whose bytes look random and are the same on every machine. AES-CTR makes them faster than a disk takes them, and nothing compresses. */
import { createCipheriv, createHash } from 'node:crypto'
import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export const KiB = 1024
export const MiB = 1024 * KiB

/** `directories` times the same number of files; `size` gives the bytes of each by its number. */
export interface Shape {
  readonly directories: number
  readonly files: number
  readonly size: (file: number) => number
}

/** About 2 KiB each, 1 to 3 KiB, so that no block has another one's length. */
export function smallFiles (files: number): Shape {
  return { directories: Math.max(1, files / 100), files, size: (n) => KiB + (n * 2654435761 % 2049) }
}

export function largeFiles (files: number, size: number): Shape {
  return { directories: 1, files, size: () => size }
}

export function totalBytes ({ files, size }: Shape): number {
  let sum = 0
  for (let n = 0; n < files; n++) sum += size(n)
  return sum
}

/** Writes the files below `root`, which must not exist yet. */
export function makeFiles (root: string, shape: Shape, seed: string): void {
  const stream = createCipheriv('aes-128-ctr', createHash('sha256').update(seed).digest().subarray(0, 16), Buffer.alloc(16))
  const zeros = Buffer.alloc(MiB)
  mkdirSync(root)
  for (let d = 0; d < shape.directories; d++) mkdirSync(join(root, `directory-${d}`))
  for (let n = 0; n < shape.files; n++) {
    const fd = openSync(join(root, `directory-${n % shape.directories}`, `file-${n}.bin`), 'wx')
    try {
      for (let left = shape.size(n); left > 0;) left -= writeSync(fd, stream.update(zeros.subarray(0, Math.min(left, MiB))))
      // Else the floor, which comes first, would share the disk with what is still being written of the input.
      fdatasyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
}
