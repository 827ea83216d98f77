/** One line of `ls` or `view`. */
export interface Listed {
  name: string
  kind: 'file' | 'dir' | 'link'
  mode: number
  /** bytes; null where only the bytes themselves would tell */
  size: number | null
  ref?: string
  /** a link's target, as UTF-8 with replacement characters */
  target?: string
  /** a code such as `contested`, where there is something to say */
  code?: string
  /** false for a name that nobody exports, or whose newest record nobody does; then `by` whom it is: the principal's name here, or the beginning of its id */
  exported?: boolean
  by?: string
}
