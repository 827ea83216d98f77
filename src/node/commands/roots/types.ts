/** Arguments and results of root, sign and recover: the root chain and what is signed offline. Plain JSON: they cross the control socket. */

/* eslint-disable @typescript-eslint/no-empty-object-type -- commands of this group come one by one */
export interface RootsArgs {}

export interface RootsResults {}
