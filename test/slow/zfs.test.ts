/**
 * Seals on a real ZFS: the driver alone against the daemon of zfs-fuse, and `diad domain seal` in a home that lies on a dataset. Wants root, `zfs-fuse`
 * (Debian: apt-get install zfs-fuse) and a build. One daemon a machine: it starts its own, ends it by its pid, and skips where another one runs.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { datasetOf } from '../../src/node/pins/dataset.js'
import { holdTag, ZfsPins } from '../../src/node/pins/zfs.js'
import { runZfs, zfsFault } from '../../src/node/pins/zfs-command.js'
import type { Reference } from '../../src/substrate/reference.js'
import { Stage } from '../helpers/cli.js'

const SOCKET = '/var/run/zfs/zfs_socket'
const DAEMON = '/usr/sbin/zfs-fuse'
const POOL = `diadtest${process.pid}`
const ALICE = ('0001' + 'a'.repeat(64)) as Reference

const answers = async (): Promise<boolean> => await new Promise((resolve) => {
  const socket = connect(SOCKET, () => { socket.destroy(); resolve(true) })
  socket.on('error', () => resolve(false))
})

async function why (): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'only on Linux'
  if (process.getuid?.() !== 0) return 'a pool can be made by root only'
  if (!existsSync(DAEMON)) return 'zfs-fuse is not installed (apt-get install zfs-fuse)'
  if (!existsSync('/dev/fuse')) return 'there is no /dev/fuse'
  if (existsSync('/dev/zfs')) return 'this machine has OpenZFS in its kernel: its pools are left alone'
  return await answers() ? 'another zfs-fuse is running on this machine' : undefined
}

const reason = await why()
if (reason !== undefined) console.warn(`the ZFS tests are skipped: ${reason}`)

const zfs = (command: string, ...words: string[]): string => execFileSync(command, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } })

/** The daemon lets go of files some moments after the process that had them open ended. */
async function destroyPool (): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      zfs('zpool', 'destroy', '-f', POOL)
      return
    } catch (err) {
      if (!String(err).includes('busy') || tries > 400) throw err
      await new Promise((resolve) => { setTimeout(resolve, 25) })
    }
  }
}

let dir: string
let daemon: ChildProcess
let mount: string

/** Asks until the daemon answers, or its end says that it never will. */
async function start (): Promise<void> {
  mkdirSync('/var/run/zfs', { recursive: true })
  daemon = spawn(DAEMON, ['-n', '--no-kstat-mount'], { cwd: '/', stdio: 'ignore' })
  const ended = once(daemon, 'close')
  while (!await answers()) {
    if (daemon.exitCode !== null || daemon.signalCode !== null) throw new Error('zfs-fuse ended at once')
    await Promise.race([ended, new Promise((resolve) => setImmediate(resolve))])
  }
}

describe.skipIf(reason !== undefined)(`on a real ZFS${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let stage: Stage
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'diad-zfs-'))
    mount = join(dir, 'mnt')
    await start()
    writeFileSync(join(dir, 'vdev'), '')
    truncateSync(join(dir, 'vdev'), 256 * 1024 * 1024)
    zfs('zpool', 'create', '-m', mount, POOL, join(dir, 'vdev'))
    zfs('zfs', 'create', `${POOL}/my home`)
    stage = new Stage()
  }, 60_000)
  afterAll(async () => {
    await stage?.close()
    await destroyPool().catch(() => undefined) // the last test did it already
    if (daemon?.exitCode === null && daemon.signalCode === null) {
      const gone = once(daemon, 'close')
      daemon.kill()
      await gone
    }
    rmSync(dir, { recursive: true, force: true })
  }, 60_000)

  test('the driver finds the dataset, pins, checks, releases', async () => {
    const home = join(mount, 'my home')
    mkdirSync(join(home, 'domain'))
    writeFileSync(join(home, 'domain', 'domain.id'), 'x')
    const dataset = await datasetOf(join(home, 'domain'))
    expect(dataset).toEqual({ name: `${POOL}/my home`, mountPoint: home, inside: 'domain' })
    expect(await datasetOf('/etc')).toBeUndefined()
    if (typeof dataset !== 'object') return
    const pins = new ZfsPins(dataset, ALICE)
    const pin = await pins.pin(pins.plan('one'))
    expect(pin).toMatchObject({ kind: 'zfs', at: `${POOL}/my home@diad-one`, tag: holdTag(ALICE, 'one'), identity: expect.stringMatching(/^\d+$/) })
    expect(await pins.check(pin)).toEqual([])
    expect((await pins.list()).map((f) => [f.snapshot, f.holds])).toEqual([[pin.at, 1]])
    await expect(pins.pin(pins.plan('one'))).rejects.toMatchObject({ code: 'zfs-snapshot-exists' })

    // Held: nobody deletes it by accident, and a deletion put off isn't carried out by us.
    const destroyed = await runZfs(['destroy', pin.at])
    expect([destroyed.code, zfsFault(destroyed.stderr)]).toEqual([1, 'busy'])
    expect((await runZfs(['destroy', '-d', pin.at])).code).toBe(0)
    expect(await pins.check(pin)).toEqual([expect.stringContaining('will be deleted with its last hold')])
    await expect(pins.release(pin, { destroy: false })).rejects.toMatchObject({ code: 'pin-last-hold' })
    expect(await pins.release(pin, { destroy: true })).toBe('removed')
    expect(await pins.check(pin)).toEqual([expect.stringContaining('is gone')])
    expect(await pins.release(pin, { destroy: true })).toBe('removed')

    // Somebody else took the hold away.
    const two = await pins.pin(pins.plan('two'))
    expect((await runZfs(['release', two.tag, two.at])).code).toBe(0)
    expect(await pins.check(two)).toEqual([expect.stringContaining('nothing holds')])
    expect(await pins.release(two, { destroy: false })).toBe('kept')
    expect(await pins.release(two, { destroy: true })).toBe('removed')
    expect(await pins.list()).toEqual([])
    rmSync(join(home, 'domain'), { recursive: true })
  })

  test('a home on a dataset is sealed by a snapshot and a hold; doctor sees whether both are there', async () => {
    zfs('zfs', 'create', `${POOL}/alice`)
    const home = join(mount, 'alice')
    const json = async (words: string[], exit = 0) => {
      const done = await stage.run(...words, '--home', home, '--json')
      expect(done.exit, done.stdout + done.stderr).toBe(exit)
      return JSON.parse(done.stdout)
    }
    await json(['init', '--name', 'alice', '--no-passphrase'])
    writeFileSync(join(dir, 'hello'), 'hello\n')
    await json(['publish', join(dir, 'hello'), '--as', 'hello'])
    const seal = await json(['domain', 'seal', '--pin', 'release-1'])
    expect(seal).toMatchObject({ kind: 'zfs', at: `${POOL}/alice@diad-release-1`, anchored: true, manifestVersion: 2 })
    expect(readdirSync(join(home, 'seals'))).toEqual(['0001.json'])
    const about = async (exit = 0) => (await json(['doctor'], exit)).findings.filter((f: { where: string }) => f.where === seal.at)
    expect(await about()).toEqual([expect.objectContaining({ level: 'ok' })])

    // What was frozen is what the seal says, whatever happens to the home afterwards.
    const before = readFileSync(join(home, 'domain', 'domain.id'), 'utf8')
    writeFileSync(join(home, 'domain', 'domain.id'), 'forged\n')
    execFileSync('/bin/sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin; zfs send "$1" | zfs receive "$2"', 'sh', seal.at, `${POOL}/received`])
    expect(readFileSync(join(mount, 'received', 'domain', 'domain.id'), 'utf8')).toBe(before)
    const { tag, identity } = JSON.parse(readFileSync(join(home, 'seals', '0001.json'), 'utf8')).pin
    expect(zfs('zfs', 'get', '-H', '-p', '-o', 'value', 'guid', `${POOL}/received@diad-release-1`).trim()).toBe(identity)

    zfs('zfs', 'release', tag, seal.at)
    expect(await about(4)).toEqual([expect.objectContaining({ level: 'bad', what: expect.stringContaining('nothing holds') })])
    zfs('zfs', 'destroy', seal.at)
    zfs('zfs', 'snapshot', seal.at)
    zfs('zfs', 'hold', tag, seal.at)
    expect(await about(4)).toEqual([expect.objectContaining({ level: 'bad', what: expect.stringContaining('another snapshot') })])

    expect(await json(['domain', 'unseal', 'release-1'])).toMatchObject({ left: 'kept' })
    expect(await json(['domain', 'seal', '--pin', 'release-2'])).toMatchObject({ kind: 'zfs', anchored: false, manifestVersion: 2 })
    expect(await json(['domain', 'seal', '--pin', 'release-1'], 2)).toMatchObject({ error: { code: 'zfs-snapshot-exists' } })
    expect((await json(['domain', 'seals'])).seals.map((s: { name: string }) => s.name)).toEqual(['release-2'])
    expect(await json(['domain', 'unseal', 'release-2', '--destroy'])).toMatchObject({ left: 'removed' })
    zfs('zfs', 'destroy', seal.at)
    expect(zfs('zfs', 'get', '-H', '-p', '-r', '-d', '1', '-o', 'name', 'guid', `${POOL}/alice`).trim()).toBe(`${POOL}/alice`)
  })

  test('a daemon that is gone is said to be gone', async () => {
    const home = join(mount, 'my home')
    const dataset = { name: `${POOL}/my home`, mountPoint: home, inside: '' }
    const pins = new ZfsPins(dataset, ALICE)
    const pin = await pins.pin(pins.plan('last'))
    expect(await pins.release(pin, { destroy: true })).toBe('removed')
    await destroyPool()
    const gone = once(daemon, 'close')
    daemon.kill('SIGKILL')
    await gone
    await expect(pins.check(pin)).rejects.toMatchObject({ code: 'zfs-backend-gone' })
    expect(await datasetOf(home)).toBeUndefined()
  })
})
