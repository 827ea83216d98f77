/** Arguments and results of admit: which other domains enter our view. Plain JSON: they cross the control socket. */

/* eslint-disable @typescript-eslint/no-empty-object-type -- commands of this group come one by one */
export interface AdmissionArgs {}

export interface AdmissionResults {}
