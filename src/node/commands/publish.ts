import { DiadError, MalformedError } from '../../substrate/errors.js'
import { putOps } from '../../federation/ledger.js'
import { pathFault } from '../../publication/names.js'
import { NONE, type Reference } from '../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../command.js'
import { signedElsewhere } from '../elsewhere.js'
import { importPath, importStream } from '../files/import.js'
import { openSigner } from '../keys/open-signer.js'
import { demandListed } from '../own-key.js'
import { publishPath } from '../publish.js'
import { type Context, inTurn, ownDomain, principalSigner } from './context.js'

/** `diad put`: content into the store, published nowhere: internal until a leaf of an exported lane reaches it. */
export async function put (context: Context, args: CommandArgs['put'], io: CommandIo): Promise<CommandResults['put']> {
  const { gate, store: { blocks, kv } } = context.runtime
  const onProgress = ({ files, bytes }: { files: number, bytes: number }): void => { io.progress({ phase: 'importing', done: files, unit: 'files', bytes }) }
  if (args.path === '-' && io.input === undefined) throw new DiadError('no-input', 'there is nothing on standard input', 'pipe the content in, or name a file')
  const onBlock = (ref: Reference): void => { for (const op of putOps(kv, ref)) blocks.enqueue(op) }
  const options = { signal: io.signal, onProgress, onBlock, allowKeys: args.allowKeys }
  // It belongs to no domain, and a collector has to wait for it all the same.
  return await gate.together(NONE, async () => {
    const { ref, files, blocks: count, bytes } = args.path === '-'
      ? await importStream(io.input as AsyncIterable<Uint8Array>, blocks, options)
      : await importPath(args.path, blocks, options)
    await context.runtime.commit([])
    return { ref, files, blocks: count, bytes }
  })
}

export async function publish (context: Context, args: CommandArgs['publish'], io: CommandIo): Promise<CommandResults['publish']> {
  const domain = ownDomain(context)
  const fault = pathFault(args.as)
  if (/^\/+[^/]/.test(args.as)) throw new DiadError('malformed', `"${args.as}" can't be a published name: names have no slash in front`, `drop the leading slash: --as ${args.as.replace(/^\/+/, '')}`)
  if (fault !== undefined) throw new MalformedError(`"${args.as}" can't be a published name: ${fault}`)
  const given = args.key === undefined ? undefined : await openSigner(args.key, io.passphrase ?? { kind: 'none' }, { signal: io.signal })
  const signer = given ?? await principalSigner(context, io)
  try {
    return await inTurn(context, async () => {
      const k = await context.runtime.wake(domain)
      demandListed(context.home, k, signer.publicKey)
      const elsewhere = signedElsewhere(context.home, context.runtime, k)
      if (elsewhere !== undefined) io.warn(`${elsewhere.text}: ${elsewhere.hint}`)
      return await publishPath(context.runtime, k, signer, args.path, args.as, {
        signal: io.signal,
        allowKeys: args.allowKeys,
        passphrase: io.passphrase,
        onProgress: ({ files, bytes }) => { io.progress({ phase: 'importing', done: files, unit: 'files', bytes }) }
      })
    })
  } finally {
    given?.close()
  }
}
