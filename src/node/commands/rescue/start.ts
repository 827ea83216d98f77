/**
 * `diad rescue start`: a transient home that acts under a domain with a key that stays where it is. It knows what a bundle or a peer gives it, and opens
 * lanes of its own (L4), so the owner's node can take in later what was done here. Source: THREATS 17.
 */
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { shownNames } from '../../../authority/domain-view.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { importBundle } from '../../../federation/bundle.js'
import { missingRoots } from '../../../federation/mirror.js'
import { domainText, parseDomain } from '../../../substrate/domain-id.js'
import { DiadError } from '../../../substrate/errors.js'
import { isReference, type Reference } from '../../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { makeHome, openHome, setOwnDomain } from '../../home/home.js'
import { isPetname } from '../../home/petname.js'
import { runtimeDir } from '../../home/runtime-dir.js'
import { openSigner } from '../../keys/open-signer.js'
import { Runtime } from '../../runtime.js'
import { bytesOf } from '../bundles/file.js'
import type { Context } from '../context.js'
import { keyFacts, writeNote } from './note.js'

type Args = CommandArgs['rescue start']

/** The rescue home's own domain, for its owner. */
const PETNAME = 'rescued'

/** Runs a command on another home: handed in, for the table of commands leads here. */
export type RunOn = (context: Context, command: string, args: object, io: CommandIo) => Promise<unknown>

export async function rescueStart (runOn: RunOn, args: Args, io: CommandIo): Promise<CommandResults['rescue start']> {
  const { peers, bundle } = args
  if (bundle === undefined && peers.length === 0) throw new DiadError('usage', 'there is nothing to start from', 'give --bundle FILE, or --peer ADDRESS with --domain DOMAIN')
  // Whoever hands over the bundle must not choose whom the key acts for: it may be listed in a domain of theirs, too.
  if (args.domain === undefined) throw new DiadError('usage', 'it isn\'t said which domain to act for', 'add --domain DOMAIN, the whole DomainID or its dom1… text')
  const domain = domainFrom(args.domain)
  // Before anything is made: a mistyped passphrase costs nothing.
  const signer = await openSigner(args.key, io.passphrase ?? { kind: 'none' }, { signal: io.signal })
  signer.close()
  const root = args.dir ?? freshPlace()
  const takeBack = makeHome(root)
  if (takeBack === undefined) throw new DiadError('not-empty', `${root} is not empty`, 'name a new or an empty directory, or leave --dir out')
  try {
    const home = openHome(root, { create: false })
    const runtime = await Runtime.open(home.paths.store, true)
    try {
      const context: Context = { home, runtime, network: undefined, signer: undefined, publishing: Promise.resolve(), run: async (name, more, its) => await runOn(context, name, more, its) }
      const k = bundle === undefined ? await fromPeers(context, domain, peers, io) : await fromBundle(runtime, bundle, domain, io)
      const note = { domain: k.domain, key: args.key, publicKey: signer.publicKey }
      const facts = keyFacts(k, note)
      setOwnDomain(home, k.domain, PETNAME)
      // Last: with it the home may be wiped, and before it there is nothing worth keeping.
      writeNote(root, note)
      const missing = missingRoots(runtime, k).length
      if (missing > 0) io.warn(`the content of ${missing} names isn't here: it came neither with the bundle nor from a peer`)
      if (!facts.exports) io.warn('this key doesn\'t hold the role federate: what it publishes is a proposal until somebody vouches for it')
      return { domain: k.domain, home: root, ...facts, names: shownNames(k.view()).length, missing }
    } finally {
      await runtime.close()
    }
  } catch (err) {
    takeBack()
    throw err
  }
}

/** A fresh home knows no petnames, and whoever wrote one shall know that. Throws what `parseDomain` does, and DiadError `unknown-domain-name`. */
function domainFrom (text: string): Reference {
  if (!isPetname(text) || isReference(text)) return parseDomain(text)
  throw new DiadError('unknown-domain-name', `${JSON.stringify(text)} is no DomainID, and a rescue's home knows no petnames`, 'give the whole DomainID, dom1…: `diad bundle inspect` shows it, and so does `diad status` on the owner\'s machine')
}

/** On a memory file system where there is one: what isn't exported is gone with the power, and nothing of it stays on a borrowed machine's disk. */
function freshPlace (): string {
  return join(runtimeDir() ?? tmpdir(), `rescue-${randomBytes(6).toString('hex')}`)
}

async function fromBundle (runtime: Runtime, file: string, domain: Reference, io: CommandIo): Promise<DomainKnowledge> {
  const imported = await importBundle(runtime, bytesOf(file, io), {
    domain,
    own: true,
    signal: io.signal,
    onProgress: (done, bytes) => { io.progress({ phase: 'importing', done, unit: 'blocks', bytes }) }
  })
  if (imported.status === 'rejected' || imported.domain === undefined) {
    const [at] = imported.refused
    if (at?.code === 'other-domain') {
      throw new DiadError('bundle-refused', `the bundle is about ${at.ref === null ? 'another domain' : domainText(at.ref)}, and --domain names ${domainText(domain)}`, 'compare both with what the owner wrote down: the key acts for the domain that you name')
    }
    throw new DiadError('bundle-refused', `the bundle is refused at byte ${at?.offset ?? 0}: ${(imported.text || imported.code).replace(/^at byte \d+: /, '')} (${imported.code})`, 'take another copy of it; `diad bundle inspect` looks into it')
  }
  return await runtime.knowledge(imported.domain)
}

async function fromPeers (context: Context, domain: Reference, peers: string[], io: CommandIo): Promise<DomainKnowledge> {
  const { sync } = await import('../sync.js')
  await sync(context, { domain, peers, mode: 'mirror' }, io)
  const k = await context.runtime.knowledge(domain)
  if (k.authority().tip === undefined) throw new DiadError('not-found', 'nobody who was reached has this domain', 'check the address, or start from a bundle')
  await context.runtime.found(k)
  return k
}
