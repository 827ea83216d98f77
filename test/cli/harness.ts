/** Runs the command line in this process against a backend that records what it is asked for. */
import { Readable, Writable } from 'node:stream'
import type { OpenBackend } from '../../src/cli/backend.js'
import { run } from '../../src/cli/run.js'
import type { CommandIo } from '../../src/node/command.js'

export interface Call { home: string, command: string, args: object, io: CommandIo }
export type Work = (call: Call) => unknown

export interface Setting {
  cwd?: string
  env?: Record<string, string>
  stdin?: string
  tty?: boolean
  /** gets the listener of SIGINT before the command starts */
  signals?: (press: () => void) => void
  /** what standard output does with what it is given; an error breaks it */
  stdout?: (text: string) => Error | null
  openBackend?: OpenBackend
}

export interface Outcome { exit: number, stdout: string, stderr: string, calls: Call[], closed: number, killed: number[] }

export async function diad (words: string[], work: Work = () => ({}), setting: Setting = {}): Promise<Outcome> {
  const outcome: Outcome = { exit: -1, stdout: '', stderr: '', calls: [], closed: 0, killed: [] }
  const stdout = new Writable({
    write (chunk: Buffer, _encoding, done) {
      outcome.stdout += chunk.toString()
      done(setting.stdout?.(chunk.toString()) ?? null)
    }
  })
  const stderr = new Writable({
    write (chunk: Buffer, _encoding, done) {
      outcome.stderr += chunk.toString()
      done()
    }
  })
  outcome.exit = await run(words, {
    cwd: setting.cwd ?? '/some dir',
    env: setting.env ?? { HOME: '/nobody' },
    stdin: Readable.from(setting.stdin === undefined ? [] : [Buffer.from(setting.stdin)]),
    stdout: Object.assign(stdout, { isTTY: setting.tty === true }),
    stderr: Object.assign(stderr, { isTTY: setting.tty === true }),
    onSignal: (listener) => {
      setting.signals?.(listener)
      return () => {}
    },
    kill: (code) => { outcome.killed.push(code) },
    openBackend: setting.openBackend ?? (async (home) => ({
      async run (command, args, io) {
        const call = { home, command, args, io }
        outcome.calls.push(call)
        return work(call)
      },
      async close () { outcome.closed++ }
    }))
  })
  return outcome
}
