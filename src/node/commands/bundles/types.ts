/** Arguments and results of bundle: a domain's state as one file. Plain JSON: they cross the control socket. */

/* eslint-disable @typescript-eslint/no-empty-object-type -- commands of this group come one by one */
export interface BundlesArgs {}

export interface BundlesResults {}
