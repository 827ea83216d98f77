/** Which home is meant. A file of its own: the command line asks before anything heavy is loaded. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** The absolute path of the home directory: `--home`, else `$DIAD_HOME`, else `~/.diad`. An empty value is none. */
export function resolveHome (option?: string, env: Readonly<Record<string, string | undefined>> = process.env, cwd = process.cwd()): string {
  const chosen = [option, env['DIAD_HOME']].find((p) => p !== undefined && p !== '')
  return resolve(cwd, chosen ?? join(homedir(), '.diad'))
}
