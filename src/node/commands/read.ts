/** `diad ls`, `cat`, `checkout`, `status`: what is held here, read back. */
import { NONE, type Reference } from '../../substrate/reference.js'
import { fromUtf8 } from '../../substrate/bytes.js'
import { wayOutOfDomain } from '../../authority/explain/ways-out.js'
import type { CurrentEntry } from '../../authority/domain-view.js'
import { DiadError } from '../../substrate/errors.js'
import { type DirEntry, type Entry, type FileEntry } from '../../publication/tree.js'
import { fileChunks, resolvePath, rootEntry, treeEntries } from '../../publication/walk.js'
import type { CommandArgs, CommandIo, CommandResults } from '../command.js'
import type { Listed } from '../listed.js'
import { admissionNotes } from '../admission/note.js'
import { checkout as checkoutTree } from '../files/checkout.js'
import { signedElsewhere } from '../elsewhere.js'
import { demandOutside } from '../home/outside.js'
import { petnameOf, readPetnames } from '../home/petnames.js'
import { readPrincipalNames } from '../home/principal-names.js'
import { openFounding } from '../roots/made-requests.js'
import { type Context, heldDomain, parseTarget, readableEntry } from './context.js'
import { lacksRoom, leaseOf } from './lease.js'
import { movedField } from './moved.js'
import { summary } from './sync.js'

/** What reads content of the root `ref`: where the quota left that out, no peer would help. Throws DiadError `over-quota`, and what `read` throws. */
async function orOverQuota<T> (context: Context, domain: Reference, { ref, name }: CurrentEntry, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (err) {
    const needs = err instanceof DiadError && err.code === 'content-missing' ? lacksRoom(context.runtime, domain, ref) : undefined
    if (needs === undefined) throw err
    throw new DiadError('over-quota', `the content of ${name} isn't here: the domain's quota leaves no room for it, which takes ${needs} bytes or more`, 'give it more with `diad follow DOMAIN --quota SIZE`, then `diad sync DOMAIN`', { cause: err })
  }
}

async function entryAt (context: Context, target: string, acceptContested: boolean): Promise<{ domain: Reference, entry: Entry, name: string, current: CurrentEntry }> {
  const at = parseTarget(context, target)
  if (at.segments.length === 0) throw new DiadError('not-found', `"${target}" names a domain, not something in it`, 'add /NAME; `diad ls` shows the names')
  const k = await heldDomain(context, at.domain)
  const { entry: current, rest } = readableEntry(k, at, acceptContested)
  const entry = await orOverQuota(context, at.domain, current, async () => await resolvePath(context.runtime.store.blocks, { ref: current.ref, mode: current.mode }, rest))
  if (entry === undefined) throw new DiadError('not-found', `there is no "${rest.join('/')}" in ${current.name}`, 'see `diad ls`')
  return { domain: at.domain, entry, name: at.segments.join('/'), current }
}

function listed (e: Entry): Listed {
  if (e.kind === 'link') return { name: e.name, kind: 'link', mode: 0o777, size: e.target.length, target: lossy(e.target) }
  return { name: e.name, kind: e.kind, mode: e.mode, size: e.kind === 'file' ? e.size : null, ref: e.ref }
}

function lossy (bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch {
    return Buffer.from(bytes).toString('utf8')
  }
}

export async function ls (context: Context, args: CommandArgs['ls'], io: CommandIo): Promise<CommandResults['ls']> {
  const at = parseTarget(context, args.target)
  const k = await heldDomain(context, at.domain)
  const { blocks } = context.runtime.store
  if (at.segments.length === 0) {
    const entries: Listed[] = []
    const exported = args.all ? k.view().current : undefined
    const called = args.all ? readPrincipalNames(context.home) : undefined
    const byOf = ({ lane }: CurrentEntry): { by?: string } => {
      const principal = k.lanes.get(lane)?.lane.principal
      return principal === undefined ? {} : { by: called?.get(principal) ?? principal.slice(0, 16) }
    }
    for (const e of (args.all ? k.viewAll() : k.view()).current.values()) {
      if (e.ref === NONE) continue
      const root = await rootEntry(blocks, e.ref, e.mode).catch(() => undefined)
      const code = e.code === 'contested' ? e.code : lacksRoom(context.runtime, at.domain, e.ref) !== undefined ? 'over-quota' : root === undefined ? 'content-missing' : undefined
      const isExported = exported === undefined || exported.get(e.name)?.leafHash === e.leafHash
      entries.push({ name: e.name, kind: root?.kind ?? 'file', mode: e.mode, size: root?.kind === 'file' ? root.size : null, ref: e.ref, ...(code === undefined ? {} : { code }), ...(isExported ? {} : { exported: false, ...byOf(e) }) })
    }
    if (entries.length === 0 && !args.all && [...k.viewAll().current.values()].some((e) => e.ref !== NONE)) io.warn('nothing of it is exported; there are names that aren\'t: `diad ls DOMAIN --all` lists them')
    return { domain: at.domain, entries }
  }
  const { entry: current, rest } = readableEntry(k, at, true)
  const entry = await orOverQuota(context, at.domain, current, async () => await resolvePath(blocks, { ref: current.ref, mode: current.mode }, rest))
  if (entry === undefined) throw new DiadError('not-found', `there is no "${rest.join('/')}" in ${current.name}`, 'see `diad ls`')
  const code = current.code === 'contested' ? { code: current.code } : {}
  if (entry.kind !== 'dir') return { domain: at.domain, entries: [{ ...listed(entry), name: entry.name === '' ? current.name : entry.name, ...code }] }
  const entries: Listed[] = []
  for await (const e of treeEntries(blocks, entry.ref)) entries.push({ ...listed(e), ...code })
  return { domain: at.domain, entries }
}

export async function cat (context: Context, args: CommandArgs['cat'], io: CommandIo): Promise<undefined> {
  const { domain, entry, current } = await entryAt(context, args.target, args.acceptContested)
  if (entry.kind === 'dir') throw new DiadError('is-a-directory', `"${args.target}" is a directory`, 'use `diad checkout`, or name a file in it')
  if (entry.kind === 'link') throw new DiadError('is-a-link', `"${args.target}" is a symbolic link to ${JSON.stringify(lossy(entry.target))}`, 'links are never followed; name the file itself')
  await orOverQuota(context, domain, current, async () => {
    for await (const chunk of fileChunks(context.runtime.store.blocks, entry.ref, entry.size)) {
      io.signal.throwIfAborted()
      await io.write(chunk)
    }
  })
  return undefined
}

export async function checkout (context: Context, args: CommandArgs['checkout'], io: CommandIo): Promise<CommandResults['checkout']> {
  demandOutside(args.dest)
  const { domain, entry, name, current } = await entryAt(context, args.target, args.acceptContested)
  if (entry.kind === 'link') throw new DiadError('is-a-link', `"${args.target}" is a symbolic link`, 'check out the directory that holds it')
  const { ref, mode } = entry satisfies FileEntry | DirEntry
  const { files, bytes } = await orOverQuota(context, domain, current, async () => await checkoutTree(context.runtime.store.blocks, { ref, mode }, args.dest, {
    signal: io.signal,
    specialModes: args.specialModes,
    onProgress: (p) => { io.progress({ phase: 'writing', done: p.files, unit: 'files', bytes: p.bytes }) }
  }))
  return { domain, name, ref, dest: args.dest, files, bytes }
}

export async function status (context: Context, _args: CommandArgs['status'], _io: CommandIo): Promise<CommandResults['status']> {
  const { runtime, network, home } = context
  const names = readPetnames(home)
  const domains: CommandResults['status']['domains'] = []
  const admission = await admissionNotes(runtime)
  for (const domain of runtime.active()) {
    const record = runtime.records.get(domain)
    const k = await runtime.knowledge(domain)
    const { status: state, code, heads, names: count, snapshot } = summary(context, k)
    const name = petnameOf(names, domain)
    const out = wayOutOfDomain(k, code)
    const elsewhere = signedElsewhere(home, runtime, k)
    domains.push({
      domain, ...(name === undefined ? {} : { name }), own: record?.own ?? false, mode: record?.mode ?? 'mirror', status: state, code, heads, names: count,
      ...{ snapshot, authority: k.authority().stateText, view: k.view().digest, ...(out === undefined ? {} : { wayOut: out }), ...(elsewhere === undefined ? {} : { elsewhere }) }, ...movedField(runtime, k), ...leaseOf(runtime, k), ...admission(k)
    })
  }
  const held: CommandResults['status']['held'] = []
  for (const domain of [...runtime.records.keys()].sort()) {
    if (runtime.records.get(domain)?.dormant !== true) continue
    const name = petnameOf(names, domain)
    const { used = 0, recordBytes = 0 } = leaseOf(runtime, await runtime.knowledge(domain))
    held.push({ domain, ...(name === undefined ? {} : { name }), used, recordBytes })
  }
  const own = runtime.own()
  const founding = own === undefined ? openFounding(home) : undefined
  return {
    home: home.paths.root,
    ...(network === undefined ? {} : { peer: network.host.peerId, addresses: network.host.addresses() }),
    ...(own === undefined ? {} : { domain: own }),
    ...(founding === undefined ? {} : { founding: { domain: founding.domain, ...(founding.file === undefined ? {} : { file: founding.file }) } }),
    daemon: network !== undefined,
    domains,
    held,
    peers: network?.host.peers().map((peer) => ({ peer })) ?? []
  }
}
