/** The log of the vectors: leaf i is a tick with logseq i + 1. Proofs that hold, and each way of spoiling one. */
import { bareLeaf, encodeLeaf } from '../../src/publication/leaf.js'
import { LeafLog } from '../../src/publication/leaf-log.js'
import { leafHash } from '../../src/publication/merkle.js'
import { concatBytes, toHex } from '../../src/substrate/bytes.js'
import type { Hash } from '../../src/substrate/reference.js'
import { digest } from './samples.js'

const BIG = 4099
const leaf = (i: number): Uint8Array => encodeLeaf(bareLeaf('tick', i + 1).leaf)
const log = new LeafLog()
log.append(concatBytes(...Array.from({ length: BIG }, (_, i) => leaf(i))))

interface Case { readonly holds: boolean, readonly why?: string, readonly [field: string]: unknown }
const STRANGE = digest('strange hash')
const bent = (path: readonly Hash[], at: number): Hash[] => path.map((h, i) => i === at ? STRANGE : h)

const inclusionOf = (index: number, size: number): Omit<Case, 'holds'> & { path: Hash[] } =>
  ({ leaf_hash: leafHash(leaf(index)), index, size, path: log.inclusion(index, size), root: log.root(size) })

function inclusions (): Case[] {
  const out: Case[] = []
  for (const size of [1, 2, 3, 6, 7]) for (let index = 0; index < size; index++) out.push({ holds: true, ...inclusionOf(index, size) })
  for (const index of [0, 4095, 4096, 4098]) out.push({ holds: true, ...inclusionOf(index, BIG) })
  const good = inclusionOf(4, 7)
  const bad = (why: string, change: object): void => { out.push({ holds: false, why, ...good, ...change }) }
  bad('another leaf', { leaf_hash: leafHash(leaf(5)) })
  bad('another index', { index: 5 })
  bad('the index is the size', { index: 7 })
  bad('a negative index', { index: -1 })
  bad('half an index', { index: 4.5 })
  bad('another size, which needs a longer path', { size: 9 })
  bad('size 0', { size: 0 })
  bad('size 2^53', { size: 2 ** 53 })
  bad('another root', { root: STRANGE })
  for (let i = 0; i < good.path.length; i++) bad(`hash ${i} of the path is another`, { path: bent(good.path, i) })
  bad('a hash missing', { path: good.path.slice(1) })
  bad('a hash too many', { path: [...good.path, STRANGE] })
  bad('the path in reverse', { path: [...good.path].reverse() })
  return out
}

const consistencyOf = (first: number, second: number): Omit<Case, 'holds'> & { path: Hash[] } =>
  ({ first, second, path: log.consistency(first, second), first_root: log.root(first), second_root: log.root(second) })

function consistencies (): Case[] {
  const out: Case[] = []
  for (let second = 1; second <= 7; second++) for (let first = 1; first <= second; first++) out.push({ holds: true, ...consistencyOf(first, second) })
  for (const first of [1, 4096, 4097, BIG]) out.push({ holds: true, ...consistencyOf(first, BIG) })
  const good = consistencyOf(3, 7)
  const bad = (why: string, change: object): void => { out.push({ holds: false, why, ...good, ...change }) }
  bad('another old root', { first_root: STRANGE })
  bad('another new root', { second_root: STRANGE })
  bad('the roots swapped', { first_root: good['second_root'], second_root: good['first_root'] })
  bad('another first', { first: 2 })
  bad('another second, which needs a longer path', { second: 9 })
  bad('first 0', { first: 0, path: [] })
  bad('first above second', { first: 7, second: 3 })
  for (let i = 0; i < good.path.length; i++) bad(`hash ${i} of the path is another`, { path: bent(good.path, i) })
  bad('a hash missing', { path: good.path.slice(0, -1) })
  bad('a hash too many', { path: [...good.path, STRANGE] })
  out.push({ holds: false, why: 'the form of RFC 9162, without the hash that the verifier holds', ...consistencyOf(4, 7), path: log.consistency(4, 7).slice(1) })
  out.push({ holds: false, why: 'an empty path for equal sizes', ...consistencyOf(4, 4), path: [] })
  return out
}

function ranges (): Case[] {
  const of = (first: number, count: number, size: number): Case & { path: Hash[] } =>
    ({ holds: true, leaves: toHex(log.leaves(first, first + count)), first, size, path: log.range(first, count, size), root: log.root(size) })
  const good = of(0, 3, 7)
  return [
    good, of(0, 7, 7), of(0, 1, 1), of(4096, 3, BIG), of(4096, 1, BIG),
    { ...good, holds: false, why: 'leaves of another place', leaves: toHex(log.leaves(1, 4)) },
    { ...good, holds: false, why: 'a leaf less', leaves: toHex(log.leaves(0, 2)) },
    { ...good, holds: false, why: 'a byte less', leaves: toHex(log.leaves(0, 3)).slice(2) },
    { ...good, holds: false, why: 'no leaves', leaves: '' },
    { ...of(0, 7, 7), holds: false, why: 'more leaves than the log has', size: 6 },
    { ...good, holds: false, why: 'the first hash is another', path: bent(good.path, 0) },
    { ...good, holds: false, why: 'a hash too many', path: [...good.path, STRANGE] },
    { ...of(1, 2, 7), holds: false, why: 'a range that does not start at a multiple of 4,096' }
  ]
}

export function merkleVectors (): object {
  return {
    note: 'leaf i of the log is a tick with logseq i + 1',
    roots: [1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, BIG].map((size) => ({ size, root: log.root(size) })),
    inclusion: inclusions(),
    consistency: consistencies(),
    range: ranges()
  }
}
