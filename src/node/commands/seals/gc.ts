/** `diad gc`: gives the disk back what nothing needs (federation/garbage.ts), in two steps: blocks are discarded, then their bytes are freed. */
import { collectGarbage, type Garbage, mayCollectUnpublished } from '../../../federation/garbage.js'
import { DiadError } from '../../../substrate/errors.js'
import type { CommandIo } from '../../command.js'
import type { Compacted } from '../../../substrate/pack-compact.js'
import type { Context } from '../context.js'
import type { SealsArgs, SealsResults } from './types.js'

export async function gc (context: Context, args: SealsArgs['gc'], io: CommandIo): Promise<SealsResults['gc']> {
  const { runtime } = context
  // What an anchor, a cut or an erasure left to do is done before.
  for (const domain of runtime.active()) runtime.upkeep.start(await runtime.wake(domain))
  await runtime.settled()
  await runtime.upkeep.idle()
  if (args.unpublished && !(await mayCollectUnpublished(runtime))) {
    throw new DiadError('policy-keeps', 'this domain\'s policy keeps what was put here and never published (gc_unpublished_allowed is false)', 'change it with `diad policy set`, or leave --unpublished out')
  }
  const { dryRun: pretend, replaced, unpublished, unfollowed } = args
  let compacted: Compacted = { packs: 0, freed: 0, stuck: [] }
  const { promise: calledOff, end } = whenAborted(io.signal)
  let garbage: Garbage
  try {
    garbage = await collectGarbage(runtime, {
      replaced,
      unpublished,
      unfollowed,
      pretend,
      signal: io.signal,
      calledOff,
      onProgress: (done) => { io.progress({ phase: 'looking', done, unit: 'blocks' }) },
      free: async () => {
        if (!pretend) compacted = await runtime.store.compact({ signal: io.signal, onProgress: (done, total) => { io.progress({ phase: 'compacting', done, total, unit: 'bytes' }) } })
      }
    })
  } finally {
    end()
  }
  const { damaged } = runtime.store.blocks
  if (damaged.size > 0) io.warn(`${damaged.size === 1 ? 'a block of the store is' : `${damaged.size} blocks of the store are`} damaged, and nobody can say what ${damaged.size === 1 ? 'it reaches' : 'they reach'}: what was replaced or erased stays until \`diad doctor\` finds them whole again (\`diad sync\` fetches them)`)
  const removed = removedOf(garbage)
  if (pretend) return { ...garbage, dryRun: true, removed, freed: 0, wasted: await runtime.store.blocks.wasted(), stuck: [] }
  const { freed, stuck } = compacted
  if (stuck.length > 0) io.warn(`${stuck.length === 1 ? `pack ${stuck[0] as number} of the store has a part` : `${stuck.length} packs of the store have parts`} that can't be read, and stays as it is: \`diad doctor --deep\` says what is damaged`)
  return { ...garbage, dryRun: false, removed, freed, wasted: await runtime.store.blocks.wasted(), stuck: [...stuck] }
}

function removedOf ({ givenUp, leftover, unpublished }: Garbage): Garbage['givenUp'] {
  const all = [givenUp, leftover, unpublished]
  return { blocks: all.reduce((n, a) => n + a.blocks, 0), bytes: all.reduce((n, a) => n + a.bytes, 0) }
}

/** Rejects when the person calls it off; `end` when nobody listens any more. */
function whenAborted (signal: AbortSignal): { readonly promise: Promise<never>, readonly end: () => void } {
  let end: () => void = () => undefined
  const promise = new Promise<never>((_resolve, reject) => {
    const stop = (): void => { reject(signal.reason as Error) }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    end = () => { signal.removeEventListener('abort', stop) }
  })
  promise.catch(() => undefined)
  return { promise, end }
}
