/**
 * The substrate's pin: a frozen state of the domain root that later work can't change by accident. It keeps bytes, it never gives them meaning: what is
 * true says the manifest that the seal anchors (K4), and whoever owns the machine can take any pin away.
 */
export type PinKind = 'zfs' | 'copy'

/** What was frozen, as the seal's record keeps it. Plain JSON. */
export interface Pin {
  readonly kind: PinKind
  /** `dataset@snapshot`, or the directory of the copy */
  readonly at: string
  /** zfs: the snapshot's guid, which stays when it is received elsewhere; copy: SHA-256 of its list of digests */
  readonly identity: string
  /** zfs: what the hold is called; copy: '' */
  readonly tag: string
  /** where the domain root lies below the root of what was frozen; '' = it is that root */
  readonly inside: string
}

/** What has to be known before anything is done, so that an interrupted pin can be found and taken away. */
export type PlannedPin = Omit<Pin, 'identity'>

export interface PinDriver {
  readonly kind: PinKind
  /** What {@link PinDriver.pin} will make under this name. Throws DiadError where the name can't be used. */
  plan: (name: string, number: number) => PlannedPin
  /** Freezes; checked before it returns. On failure nothing of it stays, and what was there before it does. */
  pin: (planned: PlannedPin) => Promise<Pin>
  /** What is wrong with it, in words; empty = untouched. Throws only where nothing can be found out. */
  check: (pin: Pin) => Promise<string[]>
  /** Where its files can be read, if they can. */
  readable: (pin: Pin) => string | undefined
  /** Gives it free; of one that was only planned, whatever is there. Says what is left. */
  release: (pin: PlannedPin, options: { readonly destroy: boolean }) => Promise<'removed' | 'kept'>
}

/** What a person calls a pin: it becomes part of a snapshot's name and of a file's. */
export const PIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
