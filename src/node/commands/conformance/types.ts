/** Arguments and results of conformance: judging vectors for programs in other languages. Plain JSON: they cross the control socket. */

/* eslint-disable @typescript-eslint/no-empty-object-type -- commands of this group come one by one */
export interface ConformanceArgs {}

export interface ConformanceResults {}
