import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runtimeDir, runtimeDirs, type RuntimeHost, thisHost } from '../../src/node/home/runtime-dir.js'
import { type Marker, mayContinueLane, readMarker, writeMarker } from '../../src/node/marker.js'
import type { Hash, Reference } from '../../src/substrate/reference.js'

const TMPFS = 0x01021994
const memory = existsSync('/dev/shm') && statfsSync('/dev/shm').type === TMPFS
const LANE = ('0001' + 'a'.repeat(64)) as Reference
const OTHER = ('0001' + 'b'.repeat(64)) as Reference
const root = (digit: string): Hash => digit.repeat(64) as Hash
const head = (size: number, digit = String(size % 10)): Marker => ({ size, root: root(digit) })
const uid = userInfo().uid

let disk: string
let mem: string
let store: string
beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), 'diad-marker-'))
  mem = memory ? mkdtempSync('/dev/shm/diad-test-') : ''
  store = join(disk, 'store')
  mkdirSync(store)
})
afterEach(() => {
  rmSync(disk, { recursive: true, force: true })
  if (memory) rmSync(mem, { recursive: true, force: true })
})

function host (chosen: string | undefined, ...places: string[]): RuntimeHost {
  return { platform: 'linux', uid, chosen, places, bootId: () => undefined }
}

function place (name: string): string {
  const path = join(mem, name)
  mkdirSync(path, { recursive: true })
  return path
}

describe.runIf(memory)('the runtime directory', () => {
  it('is the first of the places, made for us alone', () => {
    const h = host(undefined, join(mem, 'missing'), place('a'), place('b'))
    expect(runtimeDir(h)).toBe(join(mem, 'a', `diad-${uid}`))
    expect(statSync(runtimeDir(h)!).mode & 0o777).toBe(0o700)
    expect(runtimeDirs(h)).toEqual([join(mem, 'a', `diad-${uid}`), join(mem, 'b', `diad-${uid}`)])
  })

  it('is the chosen one alone', () => {
    expect(runtimeDirs(host(place('mine'), place('a')))).toEqual([join(mem, 'mine', `diad-${uid}`)])
    expect(readdirSync(place('a'))).toEqual([])
  })

  it('is never on a disk, even where chosen', () => {
    expect(statfsSync(process.cwd()).type).not.toBe(TMPFS)
    const onDisk = mkdtempSync(join(process.cwd(), 'node_modules', '.diad-marker-'))
    try {
      expect(runtimeDirs(host(onDisk, onDisk))).toEqual([])
      expect(readdirSync(onDisk)).toEqual([])
      expect(runtimeDirs(host(onDisk, place('a')))).toHaveLength(1)
    } finally {
      rmSync(onDisk, { recursive: true })
    }
  })

  it('counts one place under two names once', () => {
    symlinkSync(place('a'), join(mem, 'link'))
    expect(runtimeDirs(host(undefined, place('a'), join(mem, 'link')))).toHaveLength(1)
  })

  it.each<[string, (path: string) => void]>([
    ['a link', (path) => { mkdirSync(path + '-x', { mode: 0o700 }); symlinkSync(path + '-x', path) }],
    ['a dangling link', (path) => symlinkSync(path + '-x', path)],
    ['a file', (path) => writeFileSync(path, '')],
    ['open to the group', (path) => { mkdirSync(path); chmodSync(path, 0o750) }]
  ])('is not used when it is %s', (_, squat) => {
    squat(join(place('a'), `diad-${uid}`))
    expect(runtimeDirs(host(undefined, place('a'), place('b')))).toEqual([join(mem, 'b', `diad-${uid}`)])
  })

  it.runIf(uid === 0)('is not used when another owns it', () => {
    const squatted = join(place('a'), 'diad-0')
    mkdirSync(squatted, { mode: 0o700 })
    chownSync(squatted, 4711, 4711)
    expect(runtimeDirs(host(undefined, place('a')))).toEqual([])
  })

  it('is named after the boot where there is no memory file system', () => {
    const mac = (boot: string | undefined): RuntimeHost => ({ platform: 'darwin', uid, chosen: undefined, places: [disk], bootId: () => boot })
    const first = runtimeDir(mac('one'))
    expect(first).toMatch(new RegExp(`/diad-${uid}/[0-9a-f]{16}$`))
    expect(runtimeDir(mac('one'))).toBe(first)
    expect(runtimeDir(mac('two'))).not.toBe(first)
    expect(runtimeDir(mac(undefined))).toBeUndefined()
  })

  it('comes from the environment', () => {
    const h = thisHost({ DIAD_RUNTIME_DIR: '/x', XDG_RUNTIME_DIR: '/y' })
    expect(h.chosen).toBe('/x')
    if (process.platform === 'linux') {
      expect(h.places).toEqual(['/y', `/run/user/${uid}`, '/dev/shm'])
      expect(thisHost({}).places).toEqual([`/run/user/${uid}`, '/dev/shm'])
    }
  })
})

describe.runIf(memory)('a lane marker', () => {
  let h: RuntimeHost
  beforeEach(() => { h = host(place('chosen')) })
  const file = (): string => {
    const own = runtimeDir(h)!
    return join(own, readdirSync(own)[0]!)
  }

  it('is read back, and the last one counts', () => {
    expect(readMarker(store, LANE, h)).toBeUndefined()
    expect(mayContinueLane(store, LANE, head(1), h)).toBe(false)
    for (const size of [1, 2, 2 ** 53 - 1]) {
      expect(writeMarker(store, LANE, head(size), h)).toBe(true)
      expect(readMarker(store, LANE, h)).toEqual(head(size))
    }
    expect(readdirSync(runtimeDir(h)!)).toHaveLength(1)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  it('belongs to one lane and one store', () => {
    const second = join(disk, 'second')
    mkdirSync(second)
    writeMarker(store, LANE, head(1), h)
    expect(readMarker(store, OTHER, h)).toBeUndefined()
    expect(readMarker(second, LANE, h)).toBeUndefined()
    writeMarker(second, LANE, head(5), h)
    expect(readMarker(store, LANE, h)).toEqual(head(1))
  })

  it('is the same by whatever path the store is reached', () => {
    writeMarker(store, LANE, head(1), h)
    symlinkSync(disk, join(disk, 'link'))
    expect(readMarker(join(disk, 'link', 'store'), LANE, h)).toEqual(head(1))
    expect(readMarker(`${disk}/./store/`, LANE, h)).toEqual(head(1))
  })

  it('lets only the process go on whose store holds the last head', () => {
    // The store of this test is one file with the size of its last head.
    const publish = (path: string): 'continued' | 'new lane' => {
      const size = Number(readFileSync(join(path, 'head'), 'utf8'))
      if (!mayContinueLane(path, LANE, head(size), h)) return 'new lane'
      writeFileSync(join(path, 'head'), String(size + 1))
      writeMarker(path, LANE, head(size + 1), h)
      return 'continued'
    }
    writeFileSync(join(store, 'head'), '1')
    writeMarker(store, LANE, head(1), h)
    expect(publish(store)).toBe('continued')

    const copy = join(disk, 'copy')
    cpSync(store, copy, { recursive: true })
    expect(publish(copy)).toBe('new lane') // a copy beside it
    expect(publish(store)).toBe('continued') // the original doesn't notice

    rmSync(store, { recursive: true })
    cpSync(copy, store, { recursive: true })
    expect(publish(store)).toBe('new lane') // rolled back in place, two heads against three

    writeFileSync(join(store, 'head'), '3')
    expect(publish(store)).toBe('continued') // rolled forward again: the last head is the last head
    renameSync(store, join(disk, 'moved'))
    expect(publish(join(disk, 'moved'))).toBe('new lane')
    renameSync(join(disk, 'moved'), store)

    rmSync(place('chosen'), { recursive: true })
    place('chosen')
    expect(publish(store)).toBe('new lane') // a reboot
  })

  it('differs by root too', () => {
    writeMarker(store, LANE, head(3, 'a'), h)
    expect(mayContinueLane(store, LANE, head(3, 'a'), h)).toBe(true)
    expect(mayContinueLane(store, LANE, head(3, 'b'), h)).toBe(false)
    expect(mayContinueLane(store, LANE, head(2, 'a'), h)).toBe(false)
  })

  it.each<[string, (text: string) => string]>([
    ['empty', () => ''],
    ['cut', (t) => t.slice(0, -1)],
    ['longer', (t) => t + '\n'],
    ['another version', (t) => t.replace('marker 1', 'marker 2')],
    ['size 0', (t) => t.replace(' 7 ', ' 0 ')],
    ['size 07', (t) => t.replace(' 7 ', ' 07 ')],
    ['size above 2^53', (t) => t.replace(' 7 ', ' 9999999999999999 ')],
    ['a root in upper case', (t) => t.replace('a'.repeat(64), 'A'.repeat(64))]
  ])('counts as none when it is %s', (_, change) => {
    writeMarker(store, LANE, head(7, 'a'), h)
    const good = readFileSync(file(), 'utf8')
    expect(change(good)).not.toBe(good)
    writeFileSync(file(), change(good))
    expect(readMarker(store, LANE, h)).toBeUndefined()
  })

  it('counts as none when it is a directory, and is not written over it', () => {
    writeMarker(store, LANE, head(1), h)
    const path = file()
    rmSync(path)
    mkdirSync(path)
    expect(readMarker(store, LANE, h)).toBeUndefined()
    expect(() => writeMarker(store, LANE, head(2), h)).toThrow(expect.objectContaining({ code: 'marker-failed' }))
    expect(readdirSync(runtimeDir(h)!)).toHaveLength(1) // no temporary file stays
  })

  it('is not written where there is no memory file system or no store', () => {
    expect(writeMarker(store, LANE, head(1), host(undefined))).toBe(false)
    expect(readMarker(store, LANE, host(undefined))).toBeUndefined()
    expect(writeMarker(join(disk, 'none'), LANE, head(1), h)).toBe(false)
    expect(() => writeMarker(store, LANE, head(0), h)).toThrow(RangeError)
  })

  it('has to agree in all places: a stale one from another session never counts', () => {
    const session = host(undefined, place('run'), place('shm'))
    const cron = host(undefined, join(mem, 'run-gone'), place('shm'))
    writeMarker(store, LANE, head(5), session)
    expect(mayContinueLane(store, LANE, head(5), session)).toBe(true)
    expect(mayContinueLane(store, LANE, head(5), cron)).toBe(true)
    writeMarker(store, LANE, head(6), cron) // goes on without the session's directory
    // The store is rolled back to 5: the session's own marker would say that all is well.
    expect(mayContinueLane(store, LANE, head(5), session)).toBe(false)
    expect(mayContinueLane(store, LANE, head(6), session)).toBe(false)
  })
})
