/** On which ZFS dataset a path lies, if on any. Asked of the kernel's table of mounts, so that `zfs` is never run where there is none. */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { type RunZfs, runZfs } from './zfs-command.js'

export interface Mount {
  readonly device: string
  /** what of the file system is mounted there: `/` but for bind mounts */
  readonly root: string
  readonly mountPoint: string
  readonly type: string
  readonly source: string
}

export interface Dataset {
  readonly name: string
  /** where the dataset's own root is mounted; undefined when only a part of it is */
  readonly mountPoint: string | undefined
  /** the path below the dataset's root; '' = its root */
  readonly inside: string
}

/** A line: `43 42 0:40 / /mnt rw shared:1 - fuse.zfs tank/dom rw`. Blank, tab, line feed and backslash are written as octal. */
export function parseMountInfo (text: string): Mount[] {
  const out: Mount[] = []
  for (const line of text.split('\n')) {
    const fields = line.split(' ')
    const dash = fields.indexOf('-', 6)
    const [, , device, root, mountPoint] = fields
    const type = fields[dash + 1]
    const source = fields[dash + 2]
    if (dash < 0 || device === undefined || root === undefined || mountPoint === undefined || type === undefined || source === undefined) continue
    out.push({ device, root: unescape(root), mountPoint: unescape(mountPoint), type, source: unescape(source) })
  }
  return out
}

function unescape (text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

const below = (path: string, folder: string): string | undefined => {
  if (folder === '/') return path.slice(1)
  if (path === folder) return ''
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined
}

/** The mount that a real path lies on: the longest that holds it, of equal ones the last, which hides those before. */
export function mountOf (mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined
  for (const m of mounts) {
    if (below(path, m.mountPoint) === undefined) continue
    if (best === undefined || m.mountPoint.length >= best.mountPoint.length) best = m
  }
  return best
}

/** Components of letters, digits and `_.:-` and blanks; the pool's name begins with a letter. At most 255 bytes with the snapshot's name. */
export function isDatasetName (name: string): boolean {
  return name.length <= 180 && /^[A-Za-z][A-Za-z0-9_.: -]*(?:\/[A-Za-z0-9_.:%-][A-Za-z0-9_.:% -]*)*$/.test(name)
}

/** major:minor as `stat` gives it. */
function deviceNumber (device: string): number {
  const [major = 0, minor = 0] = device.split(':').map(Number)
  return Number((BigInt(major & 0xfffff000) << 32n) | BigInt((major & 0xfff) * 256) | (BigInt(minor & 0xffffff00) << 12n) | BigInt(minor & 0xff))
}

/** The dataset that `path` lies on, which has to be there; a text where it lies on one that can't be used; undefined where it lies on none. */
export async function datasetOf (path: string, run: RunZfs = runZfs): Promise<Dataset | string | undefined> {
  if (process.platform !== 'linux') return undefined
  let real: string
  let mount: Mount | undefined
  try {
    real = realpathSync.native(path)
    mount = mountOf(parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8')), real)
    if (mount === undefined || !/^(?:fuse\.)?zfs$/.test(mount.type)) return undefined
    // A mount over a folder above would hide the one that was found.
    if (statSync(real).dev !== deviceNumber(mount.device)) return undefined
  } catch {
    return undefined
  }
  const name = mount.source
  if (!isDatasetName(name)) return `${path} lies on a ZFS dataset with a name that isn't used here`
  try {
    const answer = await run(['get', '-H', '-p', '-o', 'value', 'type', name])
    if (answer.code !== 0 || answer.stdout.trim() !== 'filesystem') return `${path} lies on the ZFS dataset ${name}, of which zfs knows nothing: ${answer.stderr.split('\n')[0] ?? ''}`
  } catch (err) {
    return `${path} lies on the ZFS dataset ${name}, but ${err instanceof Error ? err.message : String(err)}`
  }
  const rest = below(real, mount.mountPoint) as string
  const inside = [...mount.root.split('/'), ...rest.split('/')].filter((s) => s !== '').join('/')
  return { name, mountPoint: mount.root === '/' ? mount.mountPoint : undefined, inside }
}
