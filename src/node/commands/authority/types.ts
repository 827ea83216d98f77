/** Arguments and results of role, key and policy: what a manifest says. Plain JSON: they cross the control socket. */

/* eslint-disable @typescript-eslint/no-empty-object-type -- commands of this group come one by one */
export interface AuthorityArgs {}

export interface AuthorityResults {}
