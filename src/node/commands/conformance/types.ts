/** Arguments and results of conformance: judging vectors for programs in other languages. Plain JSON: they cross the control socket. */

export interface ConformanceArgs {
  conformance: {
    /** absolute: a file, or a directory of *.json; absent: standard input */
    path?: string
    /** a command line for the shell: what it starts is asked for the verdicts */
    against?: string
    /** how long that program may take for one vector */
    timeoutSeconds?: number
    /** be such a program: answer each line that comes */
    answer: boolean
  }
}

/** What an implementation said of one vector. */
export interface Compared {
  name: string
  /** the code that the vector is about */
  about: string
  agrees: boolean
  /** `rejected: malformed` */
  expected: string
  /** the same; or why there is no answer */
  got: string
}

export interface ConformanceResults {
  conformance: {
    /** `rejected` when anything differs */
    status: string
    code: string
    vectors: number
    agreed: number
    /** vectors whose view digest was compared, too */
    views: number
    results: Compared[]
  } | undefined
}
