/** Cold keys: their names, and the note that is put beside them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { domainText } from '../../substrate/domain-id.js'
import type { Reference } from '../../substrate/reference.js'
import { createFile, errorCode } from './atomic-file.js'

/** File name of the n-th live root key, from 1. */
export function rootKeyName (n: number): string {
  return `root-${n}`
}

/** File name of the n-th key of the next root set, the one committed to, from 1. */
export function nextRootKeyName (n: number): string {
  return `next-root-${n}`
}

/** Puts README.txt beside the cold keys of `domain`, never over a file of somebody's. Returns its path if it was made. */
export function writeOfflineNote (directory: string, domain: Reference, name: string): string | undefined {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, 'README.txt')
  try {
    createFile(path, noteText(domain, name))
    return path
  } catch (err) {
    if (errorCode(err) === 'EEXIST') return undefined
    throw err
  }
}

function noteText (domain: Reference, name: string): string {
  return `The offline keys of the domain ${name}
${domainText(domain)}

MOVE THIS DIRECTORY AWAY FROM THIS MACHINE, and keep two copies.

root-N       sign the certificate of the domain's root_key: needed to change the policy,
             to renew the root_key, and to take the domain back after a theft.
next-root-N  the set that the domain is committed to. It signs only when the root set is
             replaced, and then alone. Keep it apart from root-N: with it you can replace
             root keys that are lost or stolen, and a thief of root-N can't.
next-commitment.json opens the commitment: without it the next keys are worth nothing. Keep
             a copy with each of them.

After "diad root rotate" the next-root-N of this directory are the live roots, and those that
it wrote to --new-roots are next.

Everyday work needs none of them. Name the directory with --roots when a command asks for
them. "diad root drill" proves, without publishing anything, that the next keys still work.

A backup of the domain is these keys, HOME/keys, and a bundle of what was published.
Keys ending in .age are encrypted; the passphrase can't be recovered.
`
}
