/** Pins: what zfs says is read right on both implementations; a copy is found out when it was touched. A real ZFS runs in the slow tests. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CopyPins } from '../../src/node/pins/copy.js'
import { isDatasetName, mountOf, parseMountInfo } from '../../src/node/pins/dataset.js'
import { holdTag, parseFacts, ZfsPins } from '../../src/node/pins/zfs.js'
import { type RunZfs, zfsFault } from '../../src/node/pins/zfs-command.js'
import type { Reference } from '../../src/substrate/reference.js'
import { codeOf } from '../helpers/code-of.js'

const ALICE = ('0001' + 'a'.repeat(64)) as Reference

describe('the table of mounts', () => {
  const table = parseMountInfo([
    '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '42 22 0:39 / /tank rw,relatime - zfs tank rw,xattr',
    '43 42 0:40 / /tank/my\\040home rw,relatime shared:7 master:2 - fuse.zfs tank/my\\040home rw',
    '44 22 0:40 /sub\\134dir /mnt/bind rw - zfs tank/my\\040home rw',
    '45 42 0:50 / /tank/my\\040home rw - tmpfs tmpfs rw',
    '', 'nonsense', '1 2 3 4'
  ].join('\n'))

  it.each([
    ['/etc/passwd', '/dev/sda1'], ['/', '/dev/sda1'], ['/tank', 'tank'], ['/tank/x/y', 'tank'], ['/tankard', '/dev/sda1'],
    ['/tank/my home/domain', 'tmpfs'], ['/tank/my homes', 'tank'], ['/mnt/bind/x', 'tank/my home']
  ])('%s lies on %s', (path, source) => { expect(mountOf(table, path)?.source).toBe(source) })

  it('keeps what is mounted of the file system', () => {
    expect(mountOf(table, '/mnt/bind')).toEqual({ device: '0:40', root: '/sub\\dir', mountPoint: '/mnt/bind', type: 'zfs', source: 'tank/my home' })
    expect(table).toHaveLength(5)
  })

  it.each<[string, boolean]>([
    ['tank', true], ['tank/a b/c-d_e.f:g', true], ['rpool/ROOT/debian_1', true],
    ['', false], ['-r', false], ['tank@x', false], ['tank//x', false], ['tank/', false], ['tank/a\nb', false], ['1tank', false], ['tank/' + 'x'.repeat(250), false]
  ])('%j as the name of a dataset: %s', (name, good) => { expect(isDatasetName(name)).toBe(good) })
})

describe('what zfs says', () => {
  it.each<[string, string]>([
    ['cannot create snapshot \'tank/domain1@seal-1\': dataset already exists\n', 'snapshot-exists'],
    ['cannot hold snapshot \'tank/domain1@seal-1\': tag already exists on this dataset\n', 'tag-exists'],
    ['cannot hold \'tank/domain1@seal-1\': tag already exists on this dataset\n', 'tag-exists'],
    ['cannot release hold from snapshot \'tank/domain1@seal-1\': no such tag on this dataset\n', 'tag-missing'],
    ['cannot release \'x\' from \'tank/domain1@seal-1\': no such tag on this dataset\n', 'tag-missing'],
    ['cannot open \'tank/nods\': dataset does not exist\nusage:\n\tsnapshot [-r] ...\n', 'missing'],
    ['could not find any snapshots to destroy; check snapshot names.\n', 'missing'],
    ['cannot destroy snapshot tank/domain1@seal-1: dataset is busy\n', 'busy'],
    ['cannot destroy \'tank/domain1@seal-1\': dataset is busy\n', 'busy'],
    ['connect: Connection refused\nPlease make sure that the zfs-fuse daemon is running.\ninternal error: failed to initialize ZFS library\n', 'backend-gone'],
    ['cannot create snapshot \'t@dataset is busy\': trailing slash in name\n', 'other'],
    ['', 'other']
  ])('%j is %s', (stderr, fault) => { expect(zfsFault(stderr)).toBe(fault) })

  it('reads snapshots of both implementations, with guids beyond 2^53', () => {
    const text = 'tank/d\tguid\t10473497632856467888\ntank/d\tuserrefs\t-\n' +
      'tank/d@diad-a\tguid\t10440341707777889125\ntank/d@diad-a\tuserrefs\t1\ntank/d@diad-a\tdefer_destroy\toff\n' +
      'tank/d@b\tuserrefs\t0\ntank/d@b\tdefer_destroy\ton\ntank/d@b\tguid\t7\n' +
      'tank/d@odd\tuserrefs\t-\ntank/d@odd\tguid\t7\n'
    expect(parseFacts(text)).toEqual([
      { snapshot: 'tank/d@diad-a', guid: '10440341707777889125', holds: 1, deferDestroy: false },
      { snapshot: 'tank/d@b', guid: '7', holds: 0, deferDestroy: true }
    ])
  })

  it('names holds in a short fixed form, whatever they are for', () => {
    for (const name of ['a', 'x'.repeat(64)]) expect(holdTag(ALICE, name)).toMatch(/^pf:[a-z2-7]{52}$/)
    expect(holdTag(ALICE, 'a')).not.toBe(holdTag(ALICE, 'b'))
  })
})

describe('the order of calls to zfs', () => {
  const dataset = { name: 'tank/home', mountPoint: '/tank/home', inside: 'domain' }
  const calls: string[] = []
  const ok = { code: 0, stdout: '', stderr: '' }
  const facts = (holds: number, defer = 'off', guid = '7') => ({ ...ok, stdout: `tank/home@diad-v2\tguid\t${guid}\ntank/home@diad-v2\tuserrefs\t${holds}\ntank/home@diad-v2\tdefer_destroy\t${defer}\n` })
  const with_ = (answers: Record<string, Awaited<ReturnType<RunZfs>>>): ZfsPins => new ZfsPins(dataset, ALICE, async ([verb = '', ...rest]) => {
    calls.push([verb, ...rest].join(' '))
    return answers[verb] ?? ok
  })
  beforeEach(() => { calls.length = 0 })

  it('pins, and looks whether the hold is there', async () => {
    const pins = with_({ get: facts(1) })
    const pin = await pins.pin(pins.plan('v2'))
    const tag = holdTag(ALICE, 'v2')
    expect(pin).toEqual({ kind: 'zfs', at: 'tank/home@diad-v2', tag, inside: 'domain', identity: '7' })
    expect(calls).toEqual(['snapshot tank/home@diad-v2', `hold ${tag} tank/home@diad-v2`, 'get -H -p -o name,property,value guid,userrefs,defer_destroy tank/home@diad-v2'])
    expect(await pins.check(pin)).toEqual([])
    expect(await with_({ get: facts(0) }).check(pin)).toEqual(['nothing holds the snapshot tank/home@diad-v2 any more'])
    expect(await with_({ get: facts(1, 'off', '8') }).check(pin)).toHaveLength(1)
    expect(await with_({ get: { code: 1, stdout: '', stderr: 'cannot open \'tank/home@diad-v2\': dataset does not exist' } }).check(pin)).toEqual(['the snapshot tank/home@diad-v2 is gone'])
  })

  it('refuses a hold that isn\'t there, a last hold on what somebody deleted, and names that aren\'t ours', async () => {
    const pins = with_({ get: facts(0) })
    expect(await codeOf(pins.pin(pins.plan('v2')))).toBe('zfs-other')
    expect(await codeOf(with_({ get: facts(1, 'on') }).release(pins.plan('v2'), { destroy: false }))).toBe('pin-last-hold')
    expect(calls.some((c) => c.startsWith('release'))).toBe(false)
    for (const at of ['tank/home', 'tank/home@other', '-r@diad-x', 'tank/home@diad-a b', 'tank/home@diad-v2@x']) {
      expect(await codeOf(pins.release({ ...pins.plan('v2'), at }, { destroy: true })), at).toBe('seal-damaged')
    }
    expect(await codeOf(pins.release({ ...pins.plan('v2'), tag: 'x'.repeat(256) }, { destroy: true }))).toBe('seal-damaged')
    expect(() => pins.plan('../x')).toThrow(expect.objectContaining({ code: 'malformed' }))
  })

  it('releases, and deletes only when asked to', async () => {
    const pins = with_({ get: facts(1) })
    expect(await pins.release(pins.plan('v2'), { destroy: false })).toBe('kept')
    expect(calls.some((c) => c.startsWith('destroy'))).toBe(false)
    expect(await pins.release(pins.plan('v2'), { destroy: true })).toBe('removed')
    expect(calls.at(-1)).toBe('destroy tank/home@diad-v2')
    const busy = with_({ get: facts(2), destroy: { code: 1, stdout: '', stderr: 'cannot destroy \'tank/home@diad-v2\': dataset is busy' } })
    expect(await codeOf(busy.release(pins.plan('v2'), { destroy: true }))).toBe('zfs-busy')
  })
})

describe('a read-only copy', () => {
  let dir: string
  let pins: CopyPins
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'diad-pins-'))
    mkdirSync(join(dir, 'domain', 'authorities'), { recursive: true })
    mkdirSync(join(dir, 'domain', 'empty'))
    mkdirSync(join(dir, 'seals'))
    writeFileSync(join(dir, 'domain', 'domain.id'), 'dom1x\n')
    writeFileSync(join(dir, 'domain', 'authorities', 'root.pub'), 'ab\n')
    pins = new CopyPins(join(dir, 'domain'), join(dir, 'seals'))
  })
  afterEach(async () => {
    await pins.release(pins.plan('x', 1))
    rmSync(dir, { recursive: true, force: true })
  })

  it('is whole, read-only, and what sha256sum reads', async () => {
    mkdirSync(join(dir, 'seals', '0001.0123456789ab.tmp', 'root'), { recursive: true, mode: 0o555 })
    const pin = await pins.pin(pins.plan('x', 1))
    expect(readdirSync(join(dir, 'seals'))).toEqual(['0001'])
    expect(await pins.check(pin)).toEqual([])
    const root = join(pin.at, 'root')
    expect(pins.readable(pin)).toBe(root)
    expect(readFileSync(join(root, 'authorities', 'root.pub'), 'utf8')).toBe('ab\n')
    for (const [path, mode] of [['.', 0o555], ['root/empty', 0o555], ['root/domain.id', 0o444], ['SHA256SUMS', 0o444]] as const) {
      expect(statSync(join(pin.at, path)).mode & 0o777, path).toBe(mode)
    }
    if (process.platform === 'linux') expect(execFileSync('sha256sum', ['-c', '../SHA256SUMS'], { cwd: root, encoding: 'utf8' })).toMatch(/domain.id: OK/)
    expect(await codeOf(pins.pin(pins.plan('x', 1)))).toBe('seal-exists')
    expect(await pins.release(pin)).toBe('removed')
    expect(existsSync(pin.at)).toBe(false)
  })

  it.each<[string, (at: string) => void, RegExp]>([
    ['a changed file', (at) => { chmodSync(join(at, 'root/domain.id'), 0o600); writeFileSync(join(at, 'root/domain.id'), 'dom1y\n') }, /domain.id was changed/],
    ['a missing file', (at) => { chmodSync(join(at, 'root'), 0o700); rmSync(join(at, 'root/domain.id')) }, /domain.id is missing/],
    ['an added file', (at) => { chmodSync(join(at, 'root'), 0o700); writeFileSync(join(at, 'root/x'), '') }, /x was added/],
    ['a link', (at) => { chmodSync(join(at, 'root'), 0o700); symlinkSync('/etc/passwd', join(at, 'root/x')) }, /neither a file nor a directory/],
    ['another list', (at) => { chmodSync(join(at, 'SHA256SUMS'), 0o600); writeFileSync(join(at, 'SHA256SUMS'), '') }, /SHA256SUMS was changed/],
    ['something beside the root', (at) => { chmodSync(at, 0o700); writeFileSync(join(at, 'y'), '') }, /y was added/],
    ['a writable file', (at) => { chmodSync(join(at, 'root/domain.id'), 0o644) }, /writable again: root\/domain.id/],
    ['nothing', (at) => { chmodSync(at, 0o700); rmSync(join(at, 'SHA256SUMS')) }, /has no SHA256SUMS/]
  ])('with %s is found out', async (_, spoil, said) => {
    const pin = await pins.pin(pins.plan('x', 1))
    spoil(pin.at)
    expect((await pins.check(pin)).join('; ')).toMatch(said)
  })

  it('is not made of a root that holds a link, and leaves nothing behind', async () => {
    symlinkSync('/etc/passwd', join(dir, 'domain', 'x'))
    expect(await codeOf(pins.pin(pins.plan('x', 1)))).toBe('not-a-domain-root')
    expect(readdirSync(join(dir, 'seals'))).toEqual([])
  })

  it('is looked for in its own folder, whatever its record says', async () => {
    mkdirSync(join(dir, 'seals', 'mine'))
    expect(await codeOf(pins.release({ kind: 'copy', at: '/etc/mine', tag: '', inside: 'root' }))).toBe('seal-damaged')
    expect(existsSync(join(dir, 'seals', 'mine'))).toBe(true)
  })
})
