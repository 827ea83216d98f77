/** `diad rescue publish`: as `diad publish`, with the key that `rescue start` was given. */
import { pathFault } from '../../../publication/names.js'
import { MalformedError } from '../../../substrate/errors.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { openSigner } from '../../keys/open-signer.js'
import { publishPath } from '../../publish.js'
import { type Context, inTurn } from '../context.js'
import { keyFacts, readNote } from './note.js'

type Result = CommandResults['rescue publish']

export async function rescuePublish (context: Context, args: CommandArgs['rescue publish'], io: CommandIo): Promise<Result> {
  const note = readNote(context.home.paths.root)
  const fault = pathFault(args.as)
  if (fault !== undefined) throw new MalformedError(`"${args.as}" can't be a published name: ${fault}`)
  return await inTurn(context, async () => {
    const k = await context.runtime.wake(note.domain)
    // Refuses a key that may do nothing here.
    keyFacts(k, note)
    // Opened each time, and let go: the stick may be pulled out in between.
    const signer = await openSigner(note.key, io.passphrase ?? { kind: 'none' }, { expected: note.publicKey, signal: io.signal })
    try {
      return await publishPath(context.runtime, k, signer, args.path, args.as, {
        signal: io.signal,
        allowKeys: args.allowKeys,
        passphrase: io.passphrase,
        onProgress: ({ files, bytes }) => { io.progress({ phase: 'importing', done: files, unit: 'files', bytes }) }
      })
    } finally {
      signer.close()
    }
  })
}
