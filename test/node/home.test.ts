import { connect, createServer } from 'node:net'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFile, replaceFile } from '../../src/node/home/atomic-file.js'
import { type Home, openHome, setOwnDomain } from '../../src/node/home/home.js'
import { openNodeKey } from '../../src/node/home/node-key.js'
import { nextRootKeyName, rootKeyName, writeOfflineNote } from '../../src/node/home/offline.js'
import { homePaths, socketPath } from '../../src/node/home/paths.js'
import { petnameOf, readPetnames, removePetname, resolveDomain, setPetname } from '../../src/node/home/petnames.js'
import { type Projection, writeProjection } from '../../src/node/home/projection.js'
import { resolveHome } from '../../src/node/home/resolve-home.js'
import type { RuntimeHost } from '../../src/node/home/runtime-dir.js'
import { domainText } from '../../src/substrate/domain-id.js'
import { NONE, type PublicKey, type Reference, toCid } from '../../src/substrate/reference.js'
import { codeThrown } from '../helpers/code-of.js'

const ALICE = ('0001' + 'a'.repeat(64)) as Reference
const BOB = ('0001' + 'b'.repeat(64)) as Reference
const BOBBY = ('0001' + 'b'.repeat(20) + 'c'.repeat(44)) as Reference
const none = (): Reference[] => []

let dir: string
let root: string
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'diad-home-')))
  root = join(dir, 'home')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('a home', () => {
  it('is made for a reader, for the owner alone', () => {
    const home = openHome(root, { create: 'reader' })
    expect(home).toEqual({ paths: homePaths(root), domain: undefined, name: undefined })
    expect(readdirSync(root).sort()).toEqual(['home.json', 'keys', 'store'])
    for (const path of [root, home.paths.keys, home.paths.store]) expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(JSON.parse(readFileSync(home.paths.config, 'utf8'))).toEqual({ format: 'diad-home', version: 1 })
    expect(openHome(root, { create: false })).toEqual(home)
  })

  it('keeps its domain', () => {
    const home = setOwnDomain(openHome(root, { create: 'reader' }), ALICE, 'alice')
    expect(home).toMatchObject({ domain: ALICE, name: 'alice' })
    expect(openHome(root, { create: 'reader' })).toEqual(home)
    expect(readFileSync(home.paths.config, 'utf8')).toContain(domainText(ALICE))
    expect(codeThrown(() => setOwnDomain(home, ALICE, 'a/b'))).toBe('malformed')
  })

  it('is missing, and nothing is made', () => {
    expect(codeThrown(() => openHome(root, { create: false }))).toBe('home-missing')
    expect(existsSync(root)).toBe(false)
  })

  it('takes over an empty directory and an interrupted attempt, and nothing else', () => {
    mkdirSync(root)
    mkdirSync(join(root, 'keys'))
    writeFileSync(join(root, 'home.json.0123456789ab.tmp'), '{')
    openHome(root, { create: 'reader' })

    const full = join(dir, 'full')
    mkdirSync(full)
    writeFileSync(join(full, 'thesis.tex'), '')
    expect(codeThrown(() => openHome(full, { create: 'reader' }))).toBe('not-a-home')
    expect(readdirSync(full)).toEqual(['thesis.tex'])
    expect(codeThrown(() => openHome(join(full, 'thesis.tex'), { create: 'reader' }))).toBe('not-a-home')
  })

  it.each<[string, unknown, string]>([
    ['a newer layout', { format: 'diad-home', version: 2, galaxy: 1 }, 'home-newer'],
    ['no version', { format: 'diad-home' }, 'home-damaged'],
    ['version 0', { format: 'diad-home', version: 0 }, 'home-damaged'],
    ['version as text', { format: 'diad-home', version: '1' }, 'home-damaged'],
    ['another format', { format: 'other', version: 1 }, 'home-damaged'],
    ['an unknown field', { format: 'diad-home', version: 1, nmae: 'x' }, 'home-damaged'],
    ['a domain without a name', { format: 'diad-home', version: 1, domain: domainText(ALICE) }, 'home-damaged'],
    ['a mistyped domain', { format: 'diad-home', version: 1, name: 'a', domain: domainText(ALICE).replace('q', 'p') }, 'home-damaged'],
    ['a hostile name', { format: 'diad-home', version: 1, name: '\u001b[31m', domain: domainText(ALICE) }, 'home-damaged'],
    ['a list', [], 'home-damaged'],
    ['null', null, 'home-damaged']
  ])('with %s is refused', (_, config, code) => {
    openHome(root, { create: 'reader' })
    writeFileSync(join(root, 'home.json'), JSON.stringify(config))
    expect(codeThrown(() => openHome(root, { create: 'reader' }))).toBe(code)
  })

  it('with half a file is refused', () => {
    openHome(root, { create: 'reader' })
    writeFileSync(join(root, 'home.json'), '{"format":"diad-h')
    expect(codeThrown(() => openHome(root, { create: 'reader' }))).toBe('home-damaged')
  })

  it.each([
    ['/opt/h', { DIAD_HOME: '/env' }, '/opt/h'], [undefined, { DIAD_HOME: '/env' }, '/env'], ['', { DIAD_HOME: '' }, join(homedir(), '.diad')],
    [undefined, {}, join(homedir(), '.diad')], ['sub', {}, join(process.cwd(), 'sub')]
  ])('--home %j with %j is %s', (option, env, want) => {
    expect(resolveHome(option, env)).toBe(want)
  })

  it('has one node key', async () => {
    const home = openHome(root, { create: 'reader' })
    const first = await openNodeKey(home)
    expect(first.type).toBe('Ed25519')
    const again = await openNodeKey(home)
    expect(again.equals(first)).toBe(true)
    expect(statSync(join(root, 'node.key')).mode & 0o777).toBe(0o600)
    const message = new TextEncoder().encode('m')
    expect(await first.publicKey.verify(message, await again.sign(message))).toBe(true)
  })

  it('notes what the offline keys are for', () => {
    const words = { both: ['root-N  ', 'next-root-N', 'MOVE THIS DIRECTORY AWAY'], next: ['next-root-N', 'MOVE THIS DIRECTORY AWAY'], commitment: ['No key is in this directory', 'PUT A COPY OF next-commitment.json'] } as const
    const all = Object.values(words).flat()
    for (const contents of ['both', 'next', 'commitment'] as const) {
      writeOfflineNote(join(root, contents), ALICE, 'alice', contents)
      const note = readFileSync(join(root, contents, 'README.txt'), 'utf8')
      expect(note).toContain(domainText(ALICE))
      expect(all.filter((word) => word === 'root-N  ' ? /^root-N {2}/m.test(note) : note.includes(word)).sort(), contents).toEqual(all.filter((word) => (words[contents] as readonly string[]).includes(word)).sort())
    }
    expect([rootKeyName(1), nextRootKeyName(2)]).toEqual(['root-1', 'next-root-2'])
  })
})

describe('the control socket', () => {
  const host = (...places: string[]): RuntimeHost => ({ platform: 'darwin', uid: process.getuid!(), chosen: undefined, places, bootId: () => 'boot' })

  it('lies in the home, by whatever path that is reached', () => {
    mkdirSync(root)
    symlinkSync(root, join(dir, 'link'))
    expect(socketPath(root)).toBe(join(root, 'diad.sock'))
    expect(socketPath(join(dir, 'link'))).toBe(join(root, 'diad.sock'))
  })

  it('goes elsewhere when the path is too long, and works there', async () => {
    const long = join(dir, 'x'.repeat(100))
    mkdirSync(long)
    symlinkSync(long, join(dir, 'link'))
    const path = socketPath(long, host(dir))
    expect(path.startsWith(dir)).toBe(true)
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(103)
    expect(socketPath(join(dir, 'link'), host(dir))).toBe(path)
    const other = join(dir, 'y'.repeat(100))
    mkdirSync(other)
    expect(socketPath(other, host(dir))).not.toBe(path)

    const server = createServer((s) => s.end('here'))
    await new Promise<void>((resolve) => server.listen(path, resolve))
    try {
      const said = await new Promise<string>((resolve, reject) => connect(path).on('data', (d) => resolve(d.toString())).on('error', reject))
      expect(said).toBe('here')
    } finally {
      server.close()
    }
  })

  it('goes to the temp directory when the runtime directory is too long as well or missing', () => {
    const long = join(dir, 'x'.repeat(100))
    mkdirSync(long)
    for (const h of [host(long), host()]) {
      const path = socketPath(long, h)
      expect(path.startsWith(join(tmpdir(), 'diad-'))).toBe(true)
      expect(path.startsWith(long)).toBe(false)
    }
  })

  it('is a pipe on Windows', () => {
    expect(socketPath(root, { ...host(), platform: 'win32' })).toMatch(/^\\\\\.\\pipe\\diad-[0-9a-f]{32}$/)
  })
})

describe('petnames', () => {
  let home: Home
  beforeEach(() => { home = openHome(root, { create: 'reader' }) })

  it('are kept, sorted, and readable', () => {
    setPetname(home, 'bob', BOB)
    setPetname(home, 'Ålice.work-1', ALICE)
    setPetname(home, 'bob', BOB)
    const again = openHome(root, { create: false })
    expect([...readPetnames(again)]).toEqual([['bob', BOB], ['Ålice.work-1', ALICE]])
    expect(JSON.parse(readFileSync(home.paths.petnames, 'utf8'))).toEqual({ 'Ålice.work-1': domainText(ALICE), bob: domainText(BOB) })
    expect(petnameOf(readPetnames(home), ALICE)).toBe('Ålice.work-1')
    expect(petnameOf(readPetnames(home), BOBBY)).toBeUndefined()
    expect(statSync(home.paths.petnames).mode & 0o777).toBe(0o600)
    expect(removePetname(home, BOB)).toBe('bob')
    expect(removePetname(home, BOB)).toBeUndefined()
    expect([...readPetnames(home).keys()]).toEqual(['Ålice.work-1'])
  })

  it('are one for each domain: a new one takes the place of the old one', () => {
    setPetname(home, 'bob', BOB)
    setPetname(home, 'robert', BOB)
    expect([...readPetnames(home)]).toEqual([['robert', BOB]])
    setPetname(home, 'bob', BOBBY)
    home = setOwnDomain(home, ALICE, 'me')
    setPetname(home, 'me', ALICE)
    expect(codeThrown(() => setPetname(home, 'mine', ALICE))).toBe('own-domain')
    expect(codeThrown(() => removePetname(home, ALICE))).toBe('own-domain')
    expect([...readPetnames(home)]).toEqual([['me', ALICE], ['bob', BOBBY], ['robert', BOB]])
    // A file of two names for one domain is a person's own doing; both go.
    writeFileSync(home.paths.petnames, JSON.stringify({ b: domainText(BOB), bob: domainText(BOB) }))
    expect(removePetname(home, BOB)).toBe('b')
    expect([...readPetnames(home).keys()]).toEqual(['me'])
  })

  it('never move silently to another domain, the own name neither', () => {
    setPetname(home, 'bob', BOB)
    expect(codeThrown(() => setPetname(home, 'bob', BOBBY))).toBe('petname-taken')
    home = setOwnDomain(home, ALICE, 'me')
    expect(codeThrown(() => setPetname(home, 'me', BOB))).toBe('petname-taken')
    expect(readPetnames(home).get('me')).toBe(ALICE)
    expect(readPetnames(home).get('bob')).toBe(BOB)
  })

  it.each(['', '-x', '.x', 'a b', 'a/b', 'a\u202eb', 'a\u0000', '\u001b[1m', 'x'.repeat(65), 'a\u0308', domainText(BOB), 'dom1x', 'DOM1x', 'abcdef012345', toCid(BOB)])('are not %j', (name) => {
    expect(codeThrown(() => setPetname(home, name, ALICE))).toBe('malformed')
    expect(existsSync(home.paths.petnames)).toBe(false)
  })

  it.each(['{', '[]', 'null', '{"a":1}', '{"a":"dom1x"}', '{"__proto__":"x"}', `{"a b":"${ALICE}"}`])('damaged: %s', (content) => {
    writeFileSync(home.paths.petnames, content)
    expect(codeThrown(() => readPetnames(home))).toBe('petnames-damaged')
    expect(codeThrown(() => setPetname(home, 'x', ALICE))).toBe('petnames-damaged')
    expect(readFileSync(home.paths.petnames, 'utf8')).toBe(content)
  })
})

describe('a domain as a person writes it', () => {
  const CAROL = ('0001' + 'c0'.repeat(32)) as Reference
  const known = (): Reference[] => [ALICE, BOB, BOBBY, ALICE]
  let home: Home
  beforeEach(() => {
    home = setOwnDomain(openHome(root, { create: 'reader' }), ALICE, 'me')
    setPetname(home, 'bob', BOB)
    setPetname(home, 'cafe', BOBBY)
    setPetname(home, 'ü', CAROL)
  })

  it.each<[string, string, Reference]>([
    ['dom1 text', domainText(BOB), BOB], ['dom1 text in upper case', domainText(BOB).toUpperCase(), BOB],
    ['hex', BOB, BOB], ['a CID', toCid(BOB), BOB],
    ['a petname', 'bob', BOB], ['the own name', 'me', ALICE], ['a petname of hex digits', 'cafe', BOBBY], ['a petname written another way', 'u\u0308', CAROL],
    ['12 digits', ALICE.slice(0, 12), ALICE], ['a prefix up to the first difference', BOB.slice(0, 25), BOB], ['67 digits', BOB.slice(0, 67), BOB]
  ])('%s', (_, text, want) => {
    expect(resolveDomain(home, text, known)).toBe(want)
  })

  it.each<[string, string, string]>([
    ['an unknown name', 'carol', 'unknown-domain-name'], ['an unknown prefix', '0001cccccccc', 'unknown-domain-name'],
    ['11 digits', ALICE.slice(0, 11), 'unknown-domain-name'], ['a name of every object', 'constructor', 'unknown-domain-name'],
    ['a prefix of two', BOB.slice(0, 24), 'ambiguous-prefix'],
    ['a mistyped dom1 text', domainText(BOB).replace(/.$/, 'z'), 'malformed'], ['a cut dom1 text', domainText(BOB).slice(0, 20), 'malformed'],
    ['another hash id', '0002' + 'a'.repeat(64), 'malformed'], ['a digit too many', BOB + '0', 'malformed'], ['the zero reference', NONE, 'malformed'],
    ['nothing', '', 'malformed'], ['a path', 'bob/x', 'malformed'], ['escape codes', '\u001b[2J', 'malformed'], ['a megabyte', 'x'.repeat(1e6), 'malformed']
  ])('%s is refused', (_, text, code) => {
    expect(codeThrown(() => resolveDomain(home, text, known))).toBe(code)
  })

  it('asks for the known domains only when it comes to a prefix', () => {
    const never = (): Reference[] => { throw new Error('asked') }
    expect(resolveDomain(home, 'bob', never)).toBe(BOB)
    expect(resolveDomain(home, BOB, never)).toBe(BOB)
    expect(codeThrown(() => resolveDomain(home, 'carol', never))).toBe('unknown-domain-name')
    expect(codeThrown(() => resolveDomain(home, ALICE.slice(0, 20), none))).toBe('unknown-domain-name')
  })
})

describe('the projection', () => {
  const key = (digit: string): PublicKey => digit.repeat(64) as PublicKey
  const projection = (extra: Partial<Projection> = {}): Projection => ({
    domain: ALICE,
    rootKey: key('1'),
    authorities: new Map([['root', key('1')], ['ci', key('2')]]),
    policy: '{}\n',
    attestations: new Map([['genesis.json', '{"epoch":0}']]),
    ...extra
  })
  const tree = (home: Home): string[] => readdirSync(home.paths.domain, { recursive: true }).map(String).sort()
  let home: Home
  beforeEach(() => { home = openHome(root, { create: 'reader' }) })

  it('is drawn whole, and again', () => {
    writeProjection(home, projection())
    expect(tree(home)).toEqual(['attestations', 'attestations/genesis.json', 'authorities', 'authorities/ci.pub', 'authorities/root.pub',
      'domain.id', 'domain.pubkey', 'policies', 'policies/publish.policy'])
    expect(readFileSync(join(home.paths.domain, 'domain.id'), 'utf8')).toBe(domainText(ALICE) + '\n')
    expect(readFileSync(join(home.paths.domain, 'authorities', 'ci.pub'), 'utf8')).toBe(key('2') + '\n')

    writeProjection(home, projection({ authorities: new Map([['root', key('3')]]), attestations: new Map() }))
    expect(tree(home)).toEqual(['attestations', 'authorities', 'authorities/root.pub', 'domain.id', 'domain.pubkey', 'policies', 'policies/publish.policy'])
    expect(readdirSync(root).sort()).toEqual(['domain', 'home.json', 'keys', 'store'])
  })

  it.each(['../../evil', 'a/b', '', '.', 'a\n'])('refuses the name %j and keeps the old one', (name) => {
    writeProjection(home, projection())
    const before = tree(home)
    expect(codeThrown(() => writeProjection(home, projection({ attestations: new Map([[name, 'x']]) })))).toBe('malformed')
    if (name !== '' && name !== '.') expect(codeThrown(() => writeProjection(home, projection({ authorities: new Map([[name, key('9')]]) })))).toBe('malformed')
    expect(tree(home)).toEqual(before)
    expect(readdirSync(root).sort()).toEqual(['domain', 'home.json', 'keys', 'store'])
  })

  it('clears away what a killed process left, and nothing else', () => {
    for (const name of ['domain.0123456789ab.tmp', 'domain.0123456789ab.old', 'domain.mine']) mkdirSync(join(root, name, 'x'), { recursive: true })
    writeProjection(home, projection())
    expect(readdirSync(root).sort()).toEqual(['domain', 'domain.mine', 'home.json', 'keys', 'store'])
  })
})

describe('an atomic file', () => {
  it('is created once and replaced whole, and leaves nothing beside it', () => {
    const path = join(dir, 'f')
    createFile(path, 'one')
    expect(() => createFile(path, 'two')).toThrow(expect.objectContaining({ code: 'EEXIST' }))
    expect(readFileSync(path, 'utf8')).toBe('one')
    replaceFile(path, 'three')
    expect(readFileSync(path, 'utf8')).toBe('three')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    mkdirSync(join(dir, 'd', 'x'), { recursive: true })
    expect(() => replaceFile(join(dir, 'd'), 'x')).toThrow()
    expect(() => createFile(join(dir, 'no', 'f'), 'x')).toThrow(expect.objectContaining({ code: 'unwritable' }))
    expect(readdirSync(dir).sort()).toEqual(['d', 'f'])
  })
})
