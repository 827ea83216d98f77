/** The command line in this process, on the real homes of a {@link Homes}. */
import { expect } from 'vitest'
import { openBackend } from '../../src/cli/backend.js'
import { diad } from '../cli/harness.js'
import type { Homes } from './homes.js'

/** `all` = both, as a person at a terminal sees them */
export interface Said { readonly exit: number, readonly stdout: string, readonly stderr: string, readonly all: string }

export interface Talk {
  say: (home: string, ...words: string[]) => Promise<Said>
  /** As `say`; fails unless the command ends with `exit`. So do the others below. */
  run: (home: string, words: string[], exit: number) => Promise<Said>
  /** The one line that scripts get. */
  json: (home: string, words: string[], exit?: number) => Promise<any> // eslint-disable-line @typescript-eslint/no-explicit-any
  /** What stands on standard output, and on standard error. */
  said: (home: string, words: string[], exit?: number) => Promise<string>
  told: (home: string, words: string[], exit: number) => Promise<string>
}

export function talkTo (homes: Homes): Talk {
  const say: Talk['say'] = async (home, ...words) => {
    const { exit, stdout, stderr } = await diad([...words, '--home', homes.at(home)], undefined, { cwd: homes.root, openBackend })
    return { exit, stdout, stderr, all: stdout + stderr }
  }
  const run: Talk['run'] = async (home, words, exit) => {
    const done = await say(home, ...words)
    expect([done.exit, words.join(' '), done.exit === exit ? '' : done.stdout], done.stderr).toEqual([exit, words.join(' '), ''])
    return done
  }
  return {
    say,
    run,
    json: async (home, words, exit = 0) => JSON.parse((await run(home, [...words, '--json'], exit)).stdout),
    said: async (home, words, exit = 0) => (await run(home, words, exit)).stdout,
    told: async (home, words, exit) => (await run(home, words, exit)).stderr
  }
}
