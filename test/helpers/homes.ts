/** Commands in this process, on real homes and stores. */
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandArgs, CommandIo, CommandName, CommandResults } from '../../src/node/command.js'
import { openLocalBackend } from '../../src/node/local-backend.js'

/** Collects warnings; everything else that a command says is let go. */
export function quietIo (warnings: string[]): CommandIo {
  return {
    signal: new AbortController().signal,
    progress: () => undefined,
    event: () => undefined,
    warn: (line) => { warnings.push(line) },
    write: async () => undefined,
    passphrase: { kind: 'none' }
  }
}

/** Homes in one directory of their own, and with them a place for what this machine keeps in memory. */
export class Homes {
  readonly root: string
  /** what is gone after a reboot: the markers of lanes */
  readonly memory: string
  readonly warnings: string[] = []
  readonly io = quietIo(this.warnings)

  /** `name`: part of the names of its directories. Sets DIAD_RUNTIME_DIR for the whole process. */
  constructor (name: string) {
    this.root = realpathSync(mkdtempSync(join(tmpdir(), `diad-${name}-`)))
    this.memory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), `diad-${name}-`))
    process.env['DIAD_RUNTIME_DIR'] = this.memory
  }

  readonly at = (...parts: string[]): string => join(this.root, ...parts)

  /** Runs one command on the home of this name; `init` makes it. */
  readonly run = async <N extends CommandName> (home: string, command: N, args: CommandArgs[N]): Promise<CommandResults[N]> => {
    const backend = await openLocalBackend(this.at(home), { command, args, create: command === 'init' })
    try {
      return await backend.run(command, args, this.io) as CommandResults[N]
    } finally {
      await backend.close()
    }
  }

  /** What the machine keeps in memory about homes is gone. */
  readonly reboot = (): void => {
    for (const name of readdirSync(this.memory)) rmSync(join(this.memory, name), { recursive: true })
  }

  remove (): void {
    for (const folder of [this.root, this.memory]) rmSync(folder, { recursive: true, force: true })
  }
}
