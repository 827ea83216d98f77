/**
 * File: content of more than one chunk. Level 0 lists untagged chunks, level n lists Files of level n-1; `size` is the sum of its parts' sizes.
 * Source: SCHEMA `File`. No part is empty: else a few blocks could ask a reader for 8,192^4 steps that yield no byte.
 */
import { type ArtifactCodec, artifactCodec } from '../substrate/codec.js'
import { LIMITS } from '../substrate/limits.js'
import type { Reference } from '../substrate/reference.js'
import { checked, list, mapped, oneOf, ref, type Shape, struct, tuple, uint } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'

export type FileLevel = 0 | 1 | 2 | 3
export const FILE_TOP_LEVEL = 3

export interface FilePart {
  /** bytes of content below `ref` */
  size: number
  ref: Reference
}

export interface File {
  level: FileLevel
  /** bytes of the whole content */
  size: number
  /** 1 to 8,192, in order */
  parts: FilePart[]
}

const part: Shape<FilePart> = mapped(
  tuple<[number, Reference]>(uint(Number.MAX_SAFE_INTEGER, 1), ref),
  ([size, ref]) => ({ size, ref }),
  ({ size, ref }): [number, Reference] => [size, ref]
)

const shape: Shape<File> = checked(
  struct({ level: oneOf<FileLevel>(0, 1, 2, 3), size: uint(), parts: list(part, { min: 1, max: LIMITS.fileParts }) }),
  (file) => {
    // Stays exact: a sum that passes 2^53 can't come back to `size`, since no part is negative.
    let sum = 0
    for (const p of file.parts) sum += p.size
    return sum === file.size ? undefined : `the parts' sizes to sum up to size ${file.size}, not ${sum}`
  }
)

export const fileCodec: ArtifactCodec<File> = artifactCodec(TAG.file, 'File', shape)
