/** `diad rescue publish`: as `diad publish`, with the key that `rescue start` was given. */
import { pathFault } from '../../../publication/names.js'
import { MalformedError } from '../../../substrate/errors.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { openSigner } from '../../keys/open-signer.js'
import { publishPath } from '../../publish.js'
import type { Context } from '../context.js'
import { keyFacts, readNote } from './note.js'

type Result = CommandResults['rescue publish']

export async function rescuePublish (context: Context, args: CommandArgs['rescue publish'], io: CommandIo): Promise<Result> {
  const note = readNote(context.home.paths.root)
  const fault = pathFault(args.as)
  if (fault !== undefined) throw new MalformedError(`"${args.as}" can't be a published name: ${fault}`)
  const run = async (): Promise<Result> => {
    const k = await context.runtime.wake(note.domain)
    const { exports } = keyFacts(k, note)
    // Opened each time, and let go: the stick may be pulled out in between.
    const signer = await openSigner(note.key, io.passphrase ?? { kind: 'none' }, { expected: note.publicKey, signal: io.signal })
    try {
      const done = await publishPath(context.runtime, k, signer, args.path, args.as, {
        signal: io.signal,
        onProgress: ({ files, bytes }) => { io.progress({ phase: 'importing', done: files, unit: 'files', bytes }) }
      })
      return { ...done, exported: exports }
    } finally {
      signer.close()
    }
  }
  const mine = context.publishing.then(run, run)
  context.publishing = mine.catch(() => undefined)
  const done = await mine
  await context.runtime.settled()
  return done
}
