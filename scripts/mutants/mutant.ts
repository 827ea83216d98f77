/** A bug to plant. */
export interface Mutant {
  readonly name: string
  readonly file: string
  /** stands in the file exactly once */
  readonly find: string
  readonly replace: string
  /** the tests that must catch it; default: the simulator's */
  readonly tests?: readonly string[]
}
