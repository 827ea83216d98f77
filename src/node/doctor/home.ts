/** The home directory: who can read it, whether its lists can be read, and where lane markers can stand. */
import { lstatSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Home } from '../home/home.js'
import { readPetnames } from '../home/petnames.js'
import { foundingHint } from '../roots/made-requests.js'
import { runtimeDirs } from '../home/runtime-dir.js'
import { bad, type Finding, ok, trouble, warn } from './finding.js'

export function checkHome (home: Home): Finding[] {
  const { paths } = home
  const out: Finding[] = []
  if (process.platform !== 'win32') {
    // The keys are what others must not get; the rest is a matter of taste on a machine of one's own.
    for (const [path, level] of [[paths.root, 'warn'], [paths.keys, 'bad'], [paths.store, 'warn'], [paths.offline, 'bad']] as const) out.push(...openTo(path, level))
  }
  if (out.length === 0) out.push(ok('nobody else can read the home', paths.root))
  try {
    readPetnames(home)
  } catch (err) {
    out.push(trouble(err, paths.petnames))
  }
  const founding = foundingHint(home)
  if (founding !== undefined) out.push(warn('this home waits for its founding', paths.root, founding))
  if (runtimeDirs().length === 0) {
    out.push(warn('no memory file system for lane markers: each process that publishes opens a lane of its own (L4)', '', 'set DIAD_RUNTIME_DIR to a directory on a tmpfs'))
  }
  return out
}

function openTo (path: string, level: 'warn' | 'bad'): Finding[] {
  const info = lstatSync(path, { throwIfNoEntry: false })
  if (info === undefined) return []
  const make = level === 'bad' ? bad : warn
  const out: Finding[] = []
  const uid = userInfo().uid
  if (info.uid !== uid && uid !== 0) out.push(make(`it belongs to another user (${info.uid})`, path, `chown ${uid} ${path}`))
  if ((info.mode & 0o077) !== 0) out.push(make(`others can read or change it (mode ${(info.mode & 0o777).toString(8).padStart(4, '0')})`, path, `chmod 700 ${path}`))
  return out
}
