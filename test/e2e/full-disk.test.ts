/** A home on a disk that is full: a real, small tmpfs in a mount namespace of its own, so that nothing is left behind. Wants a build and the right to mount. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Stage } from '../helpers/cli.js'

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

/** What each line of a script comes to stands in out/N.{out,err,exit}. */
const PROLOGUE = `set -u
mount -t tmpfs -o size=3m tmpfs "$ROOT/disk"
cd "$ROOT"
n=0
diad () { n=$((n + 1)); "$NODE" "$MAIN" "$@" --home disk/home > out/$n.out 2> out/$n.err; echo $? > out/$n.exit; }
room () { df -k --output=avail disk | tail -n 1 > "out/$1"; }
fill () { cat /dev/zero >> "$1" 2> /dev/null; }
`

let stage: Stage
beforeAll(() => {
  stage = new Stage()
  mkdirSync(stage.path('disk'))
  writeFileSync(stage.path('small'), 'a few words\n')
  writeFileSync(stage.path('medium'), randomBytes(200_000))
  writeFileSync(stage.path('large'), randomBytes(8_000_000))
})
afterAll(async () => { await stage.close() })

const probe = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt'])
const CANNOT = probe.status === 0 ? undefined : `no file system can be mounted here: ${probe.error?.message ?? probe.stderr.toString().trim()}`

interface Ran { readonly exit: number, readonly stdout: string, readonly stderr: string }

function play (script: string): { ran: Ran[], text: (name: string) => string } {
  const out = stage.path('out')
  spawnSync('rm', ['-rf', out])
  mkdirSync(out)
  const env = { ...process.env, ROOT: stage.root, NODE: process.execPath, MAIN, DIAD_RUNTIME_DIR: stage.path('out'), NO_COLOR: '1', DIAD_DEBUG: '' }
  const done = spawnSync('unshare', ['-m', 'sh', '-c', PROLOGUE + script], { env, encoding: 'utf8' })
  expect(done.stderr).toBe('')
  const text = (name: string): string => readFileSync(stage.path('out', name), 'utf8')
  const ran: Ran[] = []
  for (let n = 1; existsSync(stage.path('out', `${n}.exit`)); n++) ran.push({ exit: Number(text(`${n}.exit`)), stdout: text(`${n}.out`), stderr: text(`${n}.err`) })
  return { ran, text }
}

describe.skipIf(CANNOT !== undefined)(`on a full disk${CANNOT === undefined ? '' : ` (skipped: ${CANNOT})`}`, () => {
  test('a publish that doesn\'t fit takes no room, and everything works as before it', () => {
    const { ran, text } = play(`
      diad init --name me --no-passphrase
      diad publish small --as small
      room before
      diad publish large --as large
      room after
      diad status
      diad doctor
      diad checkout me/small checked-out-1
      head -c $((($(cat out/after) - 100) * 1024)) /dev/zero > disk/other
      room before-part
      diad publish medium --as medium
      room after-part
      rm disk/other
      diad publish medium --as medium`)
    const [, , refused, ...rest] = ran
    // The first in the middle of a long import, the second in the middle of its first append.
    for (const r of [refused, ...rest.splice(3, 1)]) expect(r).toMatchObject({ exit: 2, stderr: expect.stringContaining('the disk is full') })
    expect(rest.map((r) => [r.exit, r.stderr])).toEqual([[0, ''], [0, ''], [0, ''], [0, '']])
    expect(rest[0]?.stdout).toContain('1 name')
    // What LevelDB keeps of another opening, and no content.
    expect(Number(text('before')) - Number(text('after'))).toBeLessThan(64)
    expect(Number(text('before-part')) - Number(text('after-part'))).toBeLessThan(64)
    expect(readFileSync(stage.path('checked-out-1'), 'utf8')).toBe('a few words\n')
  }, 60_000)

  test('filled by what a killed process appended: it can be read, and has its room back', () => {
    const { ran, text } = play(`
      diad init --name me --no-passphrase
      diad publish small --as small
      fill disk/home/store/packs/000001.pack
      room full
      diad status
      room after
      diad publish medium --as medium`)
    expect(text('full').trim()).toBe('0')
    expect(ran.slice(2).map((r) => [r.exit, r.stderr])).toEqual([[0, ''], [0, '']])
    expect(Number(text('after'))).toBeGreaterThan(2000)
  }, 60_000)

  test('filled by others: it can be read as often as one likes, refuses to publish, and publishes when there is room', () => {
    const { ran } = play(`
      diad init --name me --no-passphrase
      diad publish small --as small
      fill disk/other
      diad status
      diad publish medium --as medium
      diad publish medium --as medium
      diad status
      diad doctor
      diad checkout me/small checked-out-2
      rm disk/other
      diad publish medium --as medium`)
    expect(ran.slice(2).map((r) => r.exit)).toEqual([0, 2, 2, 0, 0, 0, 0])
    for (const r of ran.slice(3, 5)) expect(r.stderr).toContain('the disk is full')
    expect(readFileSync(stage.path('checked-out-2'), 'utf8')).toBe('a few words\n')
  }, 60_000)
})
