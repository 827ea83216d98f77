/** Arguments and results of domain seal and doctor: anchoring, pinning and looking after a home. Plain JSON: they cross the control socket. */

/* eslint-disable @typescript-eslint/no-empty-object-type -- commands of this group come one by one */
export interface SealsArgs {}

export interface SealsResults {}
