/** What a scenario does to the links: partitions and cuts, the same for the simulated network and for a real one. */
export class Barriers {
  private readonly cuts = new Set<string>()
  private groups: Map<string, number> | undefined

  /** Whether anything gets from one node to the other. */
  passes (from: string, to: string): boolean {
    if (this.cuts.has(`${from} ${to}`)) return false
    return this.groups === undefined || this.groups.get(from) === this.groups.get(to)
  }

  /** Whether it gets both ways, as a connection needs. */
  open (a: string, b: string): boolean {
    return this.passes(a, b) && this.passes(b, a)
  }

  /** Nodes of different groups don't reach each other; those in no group are one of their own. */
  partition (groups: ReadonlyArray<readonly string[]>): void {
    this.groups = new Map()
    for (const [i, group] of groups.entries()) for (const n of group) this.groups.set(n, i + 1)
  }

  cut (from: string, to: string): void {
    this.cuts.add(`${from} ${to}`)
  }

  /** Without names: everything. */
  heal (from?: string, to?: string): void {
    if (from === undefined || to === undefined) {
      this.groups = undefined
      this.cuts.clear()
    } else this.cuts.delete(`${from} ${to}`)
  }
}
