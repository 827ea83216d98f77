/**
 * Where each node stands. Only + - × ÷ and square roots are used, which IEEE 754 rounds alike everywhere, and the result is whole numbers: one run
 * gives one picture on any machine.
 */
import type { Box, Placement, Point } from './data.js'

/** Above this a label each would be unreadable, and nodes stand in blocks by domain. */
export const MOST_LABELLED = 60

export interface LayoutNode {
  /** what it belongs with: the index of its domain, or any other number */
  readonly group: number
}

type Mutable = { x: number, y: number }

const STEPS = 240

/** `links` by index into `nodes`. */
export function layoutNodes (nodes: readonly LayoutNode[], links: ReadonlyArray<readonly [number, number]>, narrow: boolean): Placement {
  return nodes.length > MOST_LABELLED ? blocks(nodes, narrow) : spread(nodes, links, narrow)
}

/** Springs along links, a pull towards the own group, everything else pushes; then stretched to the box, then labels moved apart. */
function spread (nodes: readonly LayoutNode[], links: ReadonlyArray<readonly [number, number]>, narrow: boolean): Placement {
  const count = nodes.length
  const box: Box = narrow ? { width: 480, height: 420 + 18 * count } : { width: 1000, height: 420 + 9 * count }
  const radius = count > 30 ? 13 : 17
  const order = nodes.map((_, i) => i).sort((a, b) => (nodes[a]?.group ?? 0) - (nodes[b]?.group ?? 0) || a - b)
  const at: Mutable[] = nodes.map(() => ({ x: 0, y: 0 }))
  order.forEach((node, place) => { at[node] = onCircle(place, count) })

  const ideal = 2 / Math.sqrt(Math.max(1, count))
  // In a full mesh springs would win over everything: they share one strength per node.
  const spring = Math.min(1, 3 * count / Math.max(1, 2 * links.length))
  for (let step = 0; step < STEPS; step++) {
    const heat = 0.12 * (STEPS - step) / STEPS
    const force: Mutable[] = nodes.map(() => ({ x: 0, y: 0 }))
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        const together = nodes[i]?.group === nodes[j]?.group
        pull(at, force, i, j, distance => (together ? 0.35 * distance / ideal : 0) - ideal * ideal / (distance * distance))
      }
    }
    for (const [from, to] of links) if (from !== to) pull(at, force, from, to, distance => spring * distance / ideal)
    for (let i = 0; i < count; i++) {
      const point = at[i]
      const push = force[i]
      if (point === undefined || push === undefined) continue
      const length = Math.sqrt(push.x * push.x + push.y * push.y)
      if (length === 0) continue
      const reach = Math.min(length, heat) / length
      point.x += push.x * reach
      point.y += push.y * reach
    }
  }
  const margin = { x: narrow ? 56 : 84, top: radius + 14, bottom: radius + 34 }
  stretch(at, { left: margin.x, right: box.width - margin.x, top: margin.top, bottom: box.height - margin.bottom })
  partLabels(at, narrow ? 92 : count > 30 ? 112 : 132, 2 * radius + 30, { left: margin.x, right: box.width - margin.x, top: margin.top, bottom: box.height - margin.bottom })
  return { box, radius, points: at.map(whole) }
}

/** A point of the unit circle without sine: (1 - u², 2u) / (1 + u²) on each half. */
function onCircle (place: number, count: number): Mutable {
  const turn = (4 * place + 0.5) / count
  const quarter = Math.floor(turn)
  const u = turn - quarter
  // u in 0..1 covers the quarter turn from (1, 0) to (0, 1).
  const x = (1 - u * u) / (1 + u * u)
  const y = 2 * u / (1 + u * u)
  return [{ x, y }, { x: -y, y: x }, { x: -x, y: -y }, { x: y, y: -x }][quarter % 4] ?? { x, y }
}

/** Adds the force between two points; positive strength draws them together. */
function pull (at: readonly Mutable[], force: readonly Mutable[], i: number, j: number, strength: (distance: number) => number): void {
  const a = at[i]
  const b = at[j]
  const forceA = force[i]
  const forceB = force[j]
  if (a === undefined || b === undefined || forceA === undefined || forceB === undefined) return
  const x = b.x - a.x
  const y = b.y - a.y
  const size = strength(Math.max(0.02, Math.sqrt(x * x + y * y)))
  forceA.x += x * size
  forceA.y += y * size
  forceB.x -= x * size
  forceB.y -= y * size
}

interface Frame { readonly left: number, readonly right: number, readonly top: number, readonly bottom: number }

function stretch (at: readonly Mutable[], frame: Frame): void {
  const xs = at.map(point => point.x)
  const ys = at.map(point => point.y)
  const place = (value: number, low: number, high: number, from: number, to: number): number =>
    high - low < 1e-6 ? (from + to) / 2 : from + (value - low) * (to - from) / (high - low)
  const [lowX, highX, lowY, highY] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  for (const point of at) {
    point.x = place(point.x, lowX, highX, frame.left, frame.right)
    point.y = place(point.y, lowY, highY, frame.top, frame.bottom)
  }
}

/** Pushes points apart along the axis on which they overlap least, until a label fits under each; where that doesn't end, they stand in rows. */
function partLabels (at: readonly Mutable[], width: number, height: number, frame: Frame): void {
  for (let round = 0; round < 200; round++) {
    let moved = false
    for (let i = 0; i < at.length; i++) {
      for (let j = i + 1; j < at.length; j++) {
        const a = at[i]
        const b = at[j]
        if (a === undefined || b === undefined) continue
        const overlapX = width - Math.abs(a.x - b.x)
        const overlapY = height - Math.abs(a.y - b.y)
        if (overlapX <= 0.5 || overlapY <= 0.5) continue
        moved = true
        // Two at an edge can't part along it: every fourth round parts everything downwards.
        if (overlapX < overlapY * 1.6 && round % 4 !== 3) {
          const way = a.x <= b.x ? 1 : -1
          a.x -= way * overlapX / 2
          b.x += way * overlapX / 2
        } else {
          const way = a.y <= b.y ? 1 : -1
          a.y -= way * overlapY / 2
          b.y += way * overlapY / 2
        }
        for (const point of [a, b]) {
          point.x = Math.min(frame.right, Math.max(frame.left, point.x))
          point.y = Math.min(frame.bottom, Math.max(frame.top, point.y))
        }
      }
    }
    if (!moved) return
  }
  const columns = Math.floor((frame.right - frame.left) / width) + 1
  const down = [...at].sort((a, b) => a.y - b.y || a.x - b.x)
  const rows = Math.ceil(down.length / columns)
  for (let row = 0; row < rows; row++) {
    down.slice(row * columns, (row + 1) * columns).sort((a, b) => a.x - b.x).forEach((point, column) => {
      point.x = frame.left + column * (frame.right - frame.left) / Math.max(1, columns - 1)
      point.y = frame.top + row * (frame.bottom - frame.top) / Math.max(1, rows - 1)
    })
  }
}

/** Groups as squarish blocks on shelves, with the largest cell at which everything fits; groups of one or two are gathered in one block. */
function blocks (nodes: readonly LayoutNode[], narrow: boolean): Placement {
  const box: Box = narrow ? { width: 480, height: 760 } : { width: 1000, height: 560 }
  const groups = new Map<number, number[]>()
  nodes.forEach((node, i) => {
    const members = groups.get(node.group)
    if (members === undefined) groups.set(node.group, [i])
    else members.push(i)
  })
  const inOrder = [...groups].sort(([a], [b]) => a - b).map(([, members]) => members)
  const many = inOrder.filter(members => members.length > 2)
  const few = inOrder.filter(members => members.length <= 2).flat()
  const stacks = few.length > 0 ? [...many, few] : many
  for (let cell = 60; cell >= 2; cell--) {
    const points = shelve(stacks, cell, box, nodes.length)
    if (points !== undefined) return { box, radius: Math.max(2, Math.min(13, Math.floor(cell * 0.36))), points }
  }
  return { box, radius: 2, points: nodes.map((_, i) => [(i * 4) % box.width, Math.floor(i * 4 / box.width) * 4 % box.height]) }
}

function shelve (stacks: readonly number[][], cell: number, box: Box, count: number): Point[] | undefined {
  const points: Point[] = Array.from({ length: count }, () => [0, 0])
  const gap = stacks.length > 1 ? Math.ceil(cell * 0.6) : 0
  const widest = Math.floor((box.width - cell) / cell)
  let [x, y, shelf] = [0, 0, 0]
  for (const members of stacks) {
    const squarish = Math.ceil(Math.sqrt(members.length))
    const columns = stacks.length === 1 ? widest : Math.min(widest, squarish)
    if (columns < 1) return undefined
    const rows = Math.ceil(members.length / columns)
    if (x > 0 && x + columns * cell > box.width) [x, y, shelf] = [0, y + shelf + gap, 0]
    members.forEach((node, i) => {
      points[node] = [Math.round(x + (i % columns + 0.5) * cell), Math.round(y + (Math.floor(i / columns) + 0.5) * cell)]
    })
    x += columns * cell + gap
    shelf = Math.max(shelf, rows * cell)
    if (y + shelf > box.height) return undefined
  }
  const [left, top] = [Math.floor((box.width - Math.max(...points.map(point => point[0])) - cell / 2) / 2), Math.floor((box.height - y - shelf) / 2)]
  return points.map(point => [point[0] + left, point[1] + top])
}

function whole (point: Mutable): Point {
  return [Math.round(point.x), Math.round(point.y)]
}
