/** Cold keys: their names, and the note that is put beside them. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { domainText } from '../../substrate/domain-id.js'
import { DiadError } from '../../substrate/errors.js'
import type { Reference } from '../../substrate/reference.js'
import { createFile, errorCode } from './atomic-file.js'
import { makeDirectory } from './make-directory.js'

/** File name of the n-th live root key, from 1. */
export function rootKeyName (n: number): string {
  return `root-${n}`
}

/** File name of the n-th key of the next root set, the one committed to, from 1. */
export function nextRootKeyName (n: number): string {
  return `next-root-${n}`
}

/** What is left of an earlier set, of which keys are refused for what they are, and what a file system or a desktop puts on every stick by itself. */
const EXPECTED = [/^(next-)?root-\d+\.(pub|key|key\.age)$/, /^README\.txt$/, /\.tmp$/, /^lost\+found$/, /^System Volume Information$/, /^\.(Trash|Trashes|Trash-\d+|Spotlight-V100|fseventsd|DS_Store)$/]

/**
 * That `directory`, which needn't be there yet, holds nothing of somebody's: the whole of it will be carried away, and keys among other things are
 * published or copied with them. Throws DiadError `not-empty`.
 */
export function demandRootsPlace (directory: string, option: string): void {
  const strange = namesIn(directory).find((name) => !EXPECTED.some((known) => known.test(name)))
  if (strange !== undefined) throw new DiadError('not-empty', `${directory} holds other things, ${JSON.stringify(strange)} for one, and root keys belong in a directory of their own`, `nothing was made; name an empty or a new directory with ${option}`)
}

function namesIn (directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch {
    // It isn't there, or whoever makes it says what is wrong.
    return []
  }
}

/** What lies in a directory of the roots: the two first sets, the next set alone, or only what opens the commitment to keys made elsewhere. */
export type OfflineContents = 'both' | 'next' | 'commitment'

/** Puts README.txt beside the cold keys of `domain`, never over a file of somebody's. Returns its path if it was made. */
export function writeOfflineNote (directory: string, domain: Reference, name: string, contents: OfflineContents): string | undefined {
  makeDirectory(directory)
  const path = join(directory, 'README.txt')
  try {
    createFile(path, noteText(domain, name, contents))
    return path
  } catch (err) {
    if (errorCode(err) === 'EEXIST') return undefined
    throw err
  }
}

const LIVE = `root-N       sign the certificate of the domain's root_key: needed to change the policy,
             to renew the root_key, and to take the domain back after a theft.
`
const NEXT = `next-root-N  the set that the domain is committed to. It signs only when the root set is
             replaced, and then alone. Keep it apart from the live roots: with it you can
             replace root keys that are lost or stolen, and a thief of those can't.
`

function noteText (domain: Reference, name: string, contents: OfflineContents): string {
  if (contents === 'commitment') {
    return `What opens the commitment of the domain ${name} to its next root keys
${domainText(domain)}

No key is in this directory: the root keys were made elsewhere, and stay where they are.

PUT A COPY OF next-commitment.json BESIDE EACH KEY OF THE NEXT ROOT SET. It isn't secret, but
without it those keys can never take over. Then run "diad root drill --roots DIR" with each of
them: it proves, without publishing anything, that key and file belong together.
`
  }
  return `The offline keys of the domain ${name}
${domainText(domain)}

MOVE THIS DIRECTORY AWAY FROM THIS MACHINE, and keep two copies.

${contents === 'both' ? LIVE : ''}${NEXT}next-commitment.json opens the commitment: without it the next keys are worth nothing. Keep
             a copy with each of them.

After "diad root rotate" the next-root-N of this directory are the live roots, and those that
it wrote to --new-roots are next.

Everyday work needs none of them. Name the directory with --roots when a command asks for
them. "diad root drill" proves, without publishing anything, that the next keys still work.

A backup of the domain is these keys, HOME/keys, and a bundle of what was published.
Keys ending in .age are encrypted; the passphrase can't be recovered.
`
}
