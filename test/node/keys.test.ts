import { spawn } from 'node:child_process'
import { verify } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Encrypter } from 'age-encryption'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKeyFile, findKeyFile, loadKey, recordedPublicKey } from '../../src/node/keys/key-file.js'
import { choosePassphrase, passphraseFileFault, readPassphrase } from '../../src/node/keys/passphrase.js'
import { createPrompt, type Terminal } from '../../src/node/keys/terminal.js'
import { utf8 } from '../../src/substrate/bytes.js'
import { nobleVerifier } from '../../src/substrate/verifier.js'
import { diad } from '../cli/harness.js'
import { codeOf } from '../helpers/code-of.js'

const NONE = { kind: 'none' } as const
const GIVEN = { kind: 'given', passphrase: 'correct horse' } as const
const FAST = 1 // scrypt N = 2: what is tested here is everything but its cost

let dir: string
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'diad-keys-')) })
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const bare = (name = 'a'): ReturnType<typeof createKeyFile> => createKeyFile({ directory: dir, name, passphrase: NONE })
const encrypted = (name = 'a'): ReturnType<typeof createKeyFile> => createKeyFile({ directory: dir, name, passphrase: GIVEN, workFactor: FAST })

describe('a key file', () => {
  it.each([['bare', bare, NONE, 'a.key'], ['encrypted', encrypted, GIVEN, 'a.key.age']] as const)('%s: written privately, opened again, signs', async (_, create, source, file) => {
    const made = await create()
    expect(readdirSync(dir).sort()).toEqual([file, 'a.pub'])
    expect(statSync(made.path).mode & 0o777).toBe(0o600)
    expect(recordedPublicKey(made.path)).toBe(made.publicKey)
    expect(findKeyFile(dir, 'a')).toBe(made.path)
    expect(readFileSync(made.path).includes('PRIVATE KEY')).toBe(file === 'a.key')

    const key = await loadKey(made.path, source)
    expect(key.publicKey).toBe(made.publicKey)
    const signature = await key.signer.sign(utf8('message'))
    expect(signature).toHaveLength(64)
    expect(nobleVerifier.verify(made.publicKey, utf8('message'), signature)).toBe(true)
    expect(verify(null, utf8('message'), key.privateKey, signature)).toBe(true)
  })

  it('makes its directory, for the owner alone', async () => {
    const made = await createKeyFile({ directory: join(dir, 'x', 'keys'), name: 'a', passphrase: NONE })
    expect(statSync(join(dir, 'x', 'keys')).mode & 0o777).toBe(0o700)
    expect((await loadKey(made.path, NONE)).publicKey).toBe(made.publicKey)
  })

  it.each(['a.key', 'a.key.age', 'a.pub'])('is never written where %s is', async (existing) => {
    writeFileSync(join(dir, existing), 'mine')
    expect(await codeOf(encrypted())).toBe('key-exists')
    expect(await codeOf(bare())).toBe('key-exists')
    expect(readFileSync(join(dir, existing), 'utf8')).toBe('mine')
    expect(readdirSync(dir)).toEqual([existing])
  })

  it('is made once when many make it at once', async () => {
    const codes = await Promise.all(Array.from({ length: 8 }, () => codeOf(encrypted())))
    expect(codes.filter((c) => c === 'none')).toHaveLength(1)
    expect(codes.filter((c) => c === 'key-exists')).toHaveLength(7)
    expect(readdirSync(dir).sort()).toEqual(['a.key.age', 'a.pub'])
    expect((await loadKey(join(dir, 'a.key.age'), GIVEN)).publicKey).toBe(recordedPublicKey(join(dir, 'a.key.age')))
  })

  it.each(['', '.', '../a', 'a/b', 'a\0', '-a', 'ä', 'x'.repeat(65)])('is not called %j', async (name) => {
    expect(await codeOf(bare(name))).toBe('key-name')
  })

  it('is not found twice', async () => {
    expect(findKeyFile(dir, 'a')).toBeUndefined()
    await bare()
    writeFileSync(join(dir, 'a.key.age'), '')
    expect(() => findKeyFile(dir, 'a')).toThrow(expect.objectContaining({ code: 'key-ambiguous' }))
  })

  it.each([
    ['private', 0o600, 'none'], ['private and read-only', 0o400, 'none'],
    ['readable by the group', 0o640, 'key-mode'], ['readable by all', 0o604, 'key-mode'], ['writable by the group', 0o620, 'key-mode']
  ])('%s, with the outcome it should have', async (_, mode, code) => {
    for (const [made, source] of [[await bare('x'), NONE], [await encrypted('y'), GIVEN]] as const) {
      chmodSync(made.path, mode)
      expect(await codeOf(loadKey(made.path, source))).toBe(code)
    }
  })
})

describe('opening refuses', () => {
  it('a wrong passphrase, and none', async () => {
    const { path } = await encrypted()
    expect(await codeOf(loadKey(path, { kind: 'given', passphrase: 'correct horsf' }))).toBe('wrong-passphrase')
    expect(await codeOf(loadKey(path, NONE))).toBe('passphrase-needed')
    expect(await codeOf(loadKey(path, GIVEN))).toBe('none')
  })

  it('each of several passphrase files is tried; a key with another passphrase isn\'t called damaged', async () => {
    const { path } = await encrypted()
    const [right, wrong, empty] = [[GIVEN.passphrase, 'right'], ['of the home', 'wrong'], ['', 'empty']].map(([text, name]) => {
      writeFileSync(join(dir, name as string), `${text}\n`)
      return join(dir, name as string)
    }) as [string, string, string]
    expect(await codeOf(loadKey(path, { kind: 'file', path: wrong, others: [right] }))).toBe('none')
    for (const others of [[], [wrong]]) {
      const err = await loadKey(path, { kind: 'file', path: wrong, others }).catch((e: unknown) => e as { code: string, message: string, hint: string })
      expect(err).toMatchObject({ code: 'wrong-passphrase', hint: expect.stringContaining('--passphrase-file may be repeated') as unknown })
      expect(JSON.stringify(err)).not.toMatch(/damaged|backup/)
    }
    expect(await codeOf(loadKey(path, { kind: 'file', path: right, others: [empty] }))).toBe('passphrase-empty')
  })

  it('what is named and is no key file, told apart', async () => {
    await bare('x')
    await encrypted('y')
    mkdirSync(join(dir, 'empty'))
    const said = async (name: string): Promise<string> => {
      const { code, hint } = await loadKey(join(dir, name), NONE).catch((e: unknown) => e as { code: string, hint: string }) as { code: string, hint: string }
      return `${code}: ${hint}`
    }
    const beside = (name: string): RegExp => new RegExp(`${join(dir, name)}(: name that one)?$`)
    for (const [name, words] of [
      ['x.pub', beside('x.key')], ['y.pub', beside('y.key.age')], ['y.key', beside('y.key.age')], ['x.key.age', beside('x.key')], ['y', beside('y.key.age')],
      ['.', /^key-unreadable: name the file: .*x\.key, .*y\.key\.age$/], ['empty', /^key-unreadable: no key file/], ['z.key', /^key-missing: .* holds x\.key, y\.key\.age$/],
      ['unplugged/z.key', /^key-missing: is the stick mounted/]
    ] as const) expect(await said(name), name).toMatch(words)
  })

  it('a flipped bit in any byte of an encrypted file', async () => {
    const { path } = await encrypted()
    const good = readFileSync(path)
    const codes = new Set<string>()
    for (let i = 0; i < good.length; i++) {
      const bad = Buffer.from(good)
      bad[i]! ^= 1 << (i & 7)
      writeFileSync(path, bad)
      codes.add(await codeOf(loadKey(path, GIVEN)))
    }
    // Within the stanza that the passphrase opens, damage and a wrong passphrase look the same.
    expect([...codes].sort()).toEqual(['key-damaged', 'wrong-passphrase'])
    writeFileSync(path, good)
    expect(await codeOf(loadKey(path, GIVEN))).toBe('none')
  })

  it('a flipped bit in any byte of a bare file, unless the key stays the same', async () => {
    const { path, publicKey } = await bare()
    const good = readFileSync(path)
    let harmless = 0
    for (let i = 0; i < good.length; i++) {
      const bad = Buffer.from(good)
      bad[i]! ^= 1 << (i & 7)
      writeFileSync(path, bad)
      try {
        expect((await loadKey(path, NONE)).publicKey).toBe(publicKey)
        harmless++ // white space
      } catch (err) {
        expect(err).toMatchObject({ code: 'key-damaged' })
      }
    }
    expect(harmless).toBeLessThan(8)
  })

  it.each([
    ['a cut file', (b: Buffer) => b.subarray(0, 100)],
    ['an empty file', () => Buffer.alloc(0)],
    ['a file with bytes behind it', (b: Buffer) => Buffer.concat([b, Buffer.from('x')])],
    ['a huge file', () => Buffer.alloc(100_000, 'a')]
  ])('%s', async (_, change) => {
    const { path } = await encrypted()
    writeFileSync(path, change(readFileSync(path)))
    expect(await codeOf(loadKey(path, GIVEN))).toBe('key-damaged')
  })

  it('another key under the right name', async () => {
    const a = await encrypted('a')
    const b = await encrypted('b')
    renameSync(b.path, a.path)
    expect(await codeOf(loadKey(a.path, GIVEN))).toBe('key-damaged')
    expect(await codeOf(loadKey(a.path, GIVEN, { expected: a.publicKey }))).toBe('key-damaged')
    expect(await codeOf(loadKey(a.path, GIVEN, { expected: b.publicKey }))).toBe('none')
  })

  it('an encrypted file that holds no Ed25519 key', async () => {
    const { path } = await encrypted()
    for (const content of ['hello', '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIGgnkTxxqLmBaVpoLbx4zjo0TgVN5fXmIZAU3pWqYpJP\n-----END PRIVATE KEY-----\n']) {
      const age = new Encrypter()
      age.setPassphrase(GIVEN.passphrase)
      age.setScryptWorkFactor(FAST)
      writeFileSync(path, await age.encrypt(content))
      expect(await codeOf(loadKey(path, GIVEN))).toBe('key-damaged')
    }
  })

  it('a record that is gone or garbled, and a file that is gone', async () => {
    const { path, publicKey } = await bare()
    writeFileSync(join(dir, 'a.pub'), publicKey.toUpperCase())
    expect(await codeOf(loadKey(path, NONE))).toBe('key-damaged')
    rmSync(join(dir, 'a.pub'))
    expect(await codeOf(loadKey(path, NONE))).toBe('key-unrecorded')
    expect(await codeOf(loadKey(path, NONE, { expected: publicKey }))).toBe('none')
    rmSync(path)
    expect(await codeOf(loadKey(path, NONE, { expected: publicKey }))).toBe('key-missing')
    expect(await codeOf(loadKey(path, NONE))).toBe('key-missing')
    mkdirSync(path)
    expect(await codeOf(loadKey(path, NONE, { expected: publicKey }))).toBe('key-unreadable')
  })

  it('a link to a file that others can read', async () => {
    const { path, publicKey } = await bare()
    chmodSync(path, 0o644)
    symlinkSync(path, join(dir, 'b.key'))
    expect(await codeOf(loadKey(join(dir, 'b.key'), NONE, { expected: publicKey }))).toBe('key-mode')
  })
})

describe('a passphrase from a file', () => {
  it.each([
    ['secret', 'secret'], ['secret\n', 'secret'], ['secret\r\n', 'secret'], ['two words \nmore\n', 'two words '], ['grün\n', 'grün']
  ])('%j gives %j', async (content, want) => {
    writeFileSync(join(dir, 'pass'), content)
    expect(await readPassphrase({ kind: 'file', path: join(dir, 'pass') }, 'x')).toBe(want)
  })

  it.each([['', 'passphrase-empty'], ['\nsecret', 'passphrase-empty'], ['x'.repeat(5000), 'passphrase-file']])('%.20j is refused', async (content, code) => {
    writeFileSync(join(dir, 'pass'), content)
    expect(await codeOf(readPassphrase({ kind: 'file', path: join(dir, 'pass') }, 'x'))).toBe(code)
  })

  it('is refused when the file is missing', async () => {
    expect(await codeOf(createKeyFile({ directory: dir, name: 'a', passphrase: { kind: 'file', path: join(dir, 'pass') } }))).toBe('passphrase-file')
    expect(existsSync(join(dir, 'a.pub'))).toBe(false)
  })
})

/** A terminal at which somebody types `chunks`, one a turn of the event loop, and then hangs up. */
function typing (...chunks: string[]): Terminal & { shown: string, state: string } {
  const terminal = {
    shown: '',
    state: 'idle',
    write: (shown: string) => { terminal.shown += shown },
    listen (onBytes: (bytes: Uint8Array) => void, onEnd: () => void) {
      terminal.state = 'raw'
      let on = true
      const next = (): void => {
        if (!on) return
        const chunk = chunks.shift()
        if (chunk === undefined) {
          onEnd()
          return
        }
        onBytes(Buffer.from(chunk, 'latin1'))
        setImmediate(next)
      }
      setImmediate(next)
      return () => {
        on = false
        terminal.state = 'idle'
      }
    },
    close: () => { terminal.state = 'closed' }
  }
  return terminal
}

it('a passphrase that is soon guessed is warned of, and a file of one that others can read', async () => {
  const warnings: string[] = []
  const file = (text: string): { kind: 'file', path: string } => {
    writeFileSync(join(dir, 'pass'), text, { mode: 0o600 })
    return { kind: 'file', path: join(dir, 'pass') }
  }
  for (const text of ['1234567', '12345678']) await choosePassphrase(file(text), 'a key', (line) => { warnings.push(line) })
  expect(warnings).toEqual([expect.stringContaining('fewer than 8 characters')])
  expect([passphraseFileFault(join(dir, 'pass')), passphraseFileFault(join(dir, 'none')), passphraseFileFault('/dev/null')]).toEqual([undefined, undefined, undefined])
  chmodSync(join(dir, 'pass'), 0o644)
  expect(passphraseFileFault(join(dir, 'pass'))).toMatch(/^others can read .*0644\): chmod 600/)
  const said = await diad(['publish', 'x', '--as', 'y', '--passphrase-file', join(dir, 'pass')])
  expect([said.exit, said.stderr]).toEqual([0, expect.stringMatching(/^diad: warning: others can read[^\n]*\n$/)])
})

describe('a passphrase from the terminal', () => {
  const latin = (utf: string): string => Buffer.from(utf).toString('latin1')

  it.each([
    ['a line', ['secret\r'], 'secret'],
    ['a line in pieces', ['se', 'cr', 'et', '\n'], 'secret'],
    ['backspace', ['sex\x7fcres\x08t\r'], 'secret'],
    ['backspace over a character of several bytes', [latin('a€\x7fb\r')], 'ab'],
    ['a character cut by a chunk', [latin('ü').slice(0, 1), latin('ü').slice(1) + '\r'], 'ü'],
    ['backspace at the start', ['\x7f\x7fab\r'], 'ab'],
    ['Ctrl-U', ['wrong\x15right\r'], 'right'],
    ['Ctrl-D at the end', ['secret\x04'], 'secret']
  ])('%s', async (_, chunks, want) => {
    const terminal = typing(...chunks)
    expect(await readPassphrase({ kind: 'prompt', terminal }, 'a.key')).toBe(want)
    expect(terminal.shown).toBe('Passphrase for a.key: \r\n') // nothing of what was typed
    expect(terminal.state).toBe('closed')
  })

  it.each([
    ['Ctrl-C', ['sec\x03'], 'cancelled'], ['Ctrl-D', ['\x04'], 'cancelled'], ['hanging up', ['sec'], 'cancelled'],
    ['an empty line', ['\r'], 'passphrase-empty'], ['endless typing', ['x'.repeat(5000)], 'cancelled']
  ])('%s is refused', async (_, chunks, code) => {
    const terminal = typing(...chunks)
    expect(await codeOf(readPassphrase({ kind: 'prompt', terminal }, 'x'))).toBe(code)
    expect(terminal.state).toBe('closed')
  })

  it('is asked twice for a new key, also when both lines come at once', async () => {
    expect(await choosePassphrase({ kind: 'prompt', terminal: typing('one\r', 'one\r') }, 'x')).toBe('one')
    expect(await choosePassphrase({ kind: 'prompt', terminal: typing('one\rone\r') }, 'x')).toBe('one')
    expect(await codeOf(choosePassphrase({ kind: 'prompt', terminal: typing('one\r', 'two\r') }, 'x'))).toBe('passphrase-mismatch')
  })

  it('takes each line once', async () => {
    const prompt = createPrompt(typing('a\rb\rc\r'))
    expect([await prompt.ask('1'), await prompt.ask('2'), await prompt.ask('3')]).toEqual(['a', 'b', 'c'])
  })

  it('needs a terminal', async () => {
    // A detached process leads a session of its own and so has none, even when this one runs on one.
    const module = new URL('../../src/node/keys/terminal.ts', import.meta.url).href
    const script = `const { openTerminal } = await import(${JSON.stringify(module)}); try { openTerminal(); console.log('open') } catch (err) { console.log(err.code) }`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
    expect((await text(child.stdout)).trim()).toBe('passphrase-needed')
  })
})
