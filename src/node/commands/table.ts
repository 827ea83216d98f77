/** What a command is to whoever runs it. */
import type { CommandIo } from '../command.js'
import type { Context } from './context.js'

export type Run<A> = (context: Context, args: A, io: CommandIo) => Promise<unknown>

/** A command's name → how to load it. */
export type Loaders<Args> = { [N in keyof Args]: () => Promise<Run<Args[N]>> }
