/**
 * What the page's script gets: the run as numbers, with every repeated text in `words`. Rows are tuples and not objects, because a big run has
 * 100,000 of them and the page is to stay below 8 MB.
 */
import type { Micros, RunResult } from '../trace.js'

export type NodeKind = RunResult['nodes'][number]['kind']

/** In whole units of the drawing. */
export type Point = readonly [x: number, y: number]
export interface Box { readonly width: number, readonly height: number }
export interface Placement { readonly box: Box, readonly radius: number, readonly points: readonly Point[] }

/** `view` and `by` are words; behind them the numbers of the updates that came with the view. */
export type ViewRow = readonly [t: Micros, node: number, domain: number, logseq: number, names: number, view: number, by: number, ...brought: number[]]
/** `name` is a word; `node` is -1 when the run doesn't know it. */
export type PublishRow = readonly [t: Micros, node: number, domain: number, logseq: number, name: number, update: number]
/** `what` is a word. */
export type MessageRow = readonly [t: Micros, arrives: Micros, from: number, to: number, what: number]
export type LostRow = readonly [t: Micros, from: number, to: number]
/** `state` is a word: up, down, crashed, failed. */
export type NodeRow = readonly [t: Micros, node: number, state: number]
export type LinkRow = readonly [t: Micros, from: number, to: number, up: 0 | 1]
/** `peer` and `code` are words. */
export type RefusalRow = readonly [t: Micros, node: number, peer: number, code: number]
/** `kind` is an index of LOG_KINDS, `text` a word; `node` is -1 for none. */
export type LogRow = readonly [t: Micros, kind: number, node: number, text: number]

export const LOG_KINDS = ['action', 'node', 'refusal', 'evidence', 'expectation', 'violation'] as const

export interface ReportData {
  readonly end: Micros
  /** more nodes than can have a label each */
  readonly compact: boolean
  readonly wide: Placement
  readonly narrow: Placement
  readonly words: readonly string[]
  readonly logKinds: readonly string[]
  readonly nodes: ReadonlyArray<{ readonly name: string, readonly kind: NodeKind, readonly adversary: string, readonly owns: number, readonly follows: readonly number[] }>
  /** `p50` and `p95` of the delays from published to held, -1 when nothing arrived */
  readonly domains: ReadonlyArray<{ readonly name: string, readonly id: string, readonly p50: Micros, readonly p95: Micros }>
  /** the domain that the page opens with */
  readonly opening: number
  readonly links: ReadonlyArray<readonly [from: number, to: number]>
  /** false: too many links to draw those that carry nothing */
  readonly idleLinks: boolean
  readonly views: readonly ViewRow[]
  readonly published: readonly PublishRow[]
  readonly messages: readonly MessageRow[]
  readonly lost: readonly LostRow[]
  readonly nodeStates: readonly NodeRow[]
  readonly linkStates: readonly LinkRow[]
  readonly refusals: readonly RefusalRow[]
  readonly log: readonly LogRow[]
}
