/** Arguments and results of vouch, erase, adopt, explain and log: single records and what is known of them. Plain JSON: they cross the control socket. */

/* eslint-disable @typescript-eslint/no-empty-object-type -- commands of this group come one by one */
export interface RecordsArgs {}

export interface RecordsResults {}
