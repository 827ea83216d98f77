/** Sealing over real processes, through a daemon as well: what is anchored and frozen, and that tampering shows in the exit code. Wants a build. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Stage } from '../helpers/cli.js'

let stage: Stage

beforeAll(async () => {
  stage = new Stage()
  await stage.init('alice')
  writeFileSync(stage.path('hello'), 'hello\n')
  await stage.json('alice', ['publish', stage.path('hello'), '--as', 'hello'])
})
afterAll(async () => { await stage.close() })

test('a domain is sealed, tampering with the seal is found, and the anchors outlive it', async () => {
  const daemon = await stage.serve('alice')
  const seal = await stage.json('alice', ['domain', 'seal', '--pin', 'first'])
  expect(seal).toMatchObject({ name: 'first', kind: 'copy', at: stage.path('alice', 'seals', '0001'), anchored: true, manifestVersion: 2, lanes: 1 })
  expect(await daemon.stop()).toBe(0)
  const shown = await stage.run('domain', 'show', '--home', stage.path('alice'))
  expect(shown).toMatchObject({ exit: 0, stdout: expect.stringMatching(/seal\s+first\s+copy\s+manifest 2/) })
  expect((await stage.run('doctor', '--home', stage.path('alice'))).exit).toBe(0)

  const path = join(seal.at, 'root', 'policies', 'publish.policy')
  chmodSync(path, 0o600)
  writeFileSync(path, '')
  const doctor = await stage.run('doctor', '--home', stage.path('alice'))
  expect(doctor).toMatchObject({ exit: 4, stdout: expect.stringContaining('the seal first was tampered with: policies/publish.policy was changed') })

  const unseal = await stage.run('domain', 'unseal', 'first', '--home', stage.path('alice'))
  expect(unseal).toMatchObject({ exit: 0, stdout: expect.stringContaining('What manifest 2 anchors stays anchored') })
  expect(existsSync(seal.at)).toBe(false)
  expect(await stage.json('alice', ['verify', seal.manifest])).toMatchObject({ status: 'accepted' })
})
