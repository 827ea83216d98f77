/** Arguments and results of rescue: a transient node that acts under a domain. Plain JSON: they cross the control socket. */

/* eslint-disable @typescript-eslint/no-empty-object-type -- commands of this group come one by one */
export interface RescueArgs {}

export interface RescueResults {}
