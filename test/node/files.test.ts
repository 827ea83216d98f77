import { execFileSync } from 'node:child_process'
import { accessSync, appendFileSync, chmodSync, constants, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, statSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkout } from '../../src/node/files/checkout.js'
import { compareTrees } from '../../src/node/files/compare.js'
import { type Imported, importBytes, importPath, importStream } from '../../src/node/files/import.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { removeTree } from '../../src/node/files/partial.js'
import { type Entry, treeCodec } from '../../src/publication/tree.js'
import { TreeBuilder } from '../../src/publication/tree-builder.js'
import { childrenOf } from '../../src/publication/walk.js'
import { utf8 } from '../../src/substrate/bytes.js'
import { LIMITS } from '../../src/substrate/limits.js'
import type { Reference } from '../../src/substrate/reference.js'
import { TAG } from '../../src/substrate/type-tags.js'
import { MemoryStore } from '../helpers/memory-store.js'

const IS_ROOT = process.getuid?.() === 0
const NOBODY = 65534
/** In memory where there is such a place: ten thousand files take 0.2 s there, and up to 10 s on a busy disk. */
const PLACE = isWritable('/dev/shm') ? '/dev/shm' : tmpdir()

function isWritable (path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

let base: string
let store: MemoryStore
installNativeCrypto()

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(PLACE, 'diad-files-')))
  store = new MemoryStore()
})
afterEach(async () => removeTree(base))

const at = (...parts: string[]): string => join(base, ...parts)

/** `size` bytes that differ from chunk to chunk. */
function noise (size: number): Uint8Array {
  const out = new Uint8Array(size)
  for (let i = 0, x = size + 1; i < size; i++) out[i] = (x = (x * 1103515245 + 12345) & 0x7fffffff) >> 16
  return out
}

function write (path: string, bytes: Uint8Array | string, mode = 0o644): void {
  writeFileSync(path, bytes)
  chmodSync(path, mode)
}

/** A directory with everything that a real one can hold; 5,000 entries are some ten Trees, 600 are two or three. */
function makeTricky (dir: string, many = 600): void {
  mkdirSync(dir)
  chmodSync(dir, 0o751)
  for (const size of [0, 1, LIMITS.chunkBytes, LIMITS.chunkBytes + 1, 3 * 1024 * 1024]) write(join(dir, `size-${size}`), noise(size))
  // Only root reads what nobody may.
  for (const mode of IS_ROOT ? [0, 0o222, 0o400, 0o444, 0o755, 0o4755, 0o2755, 0o1644] : [0o400, 0o444, 0o755, 0o4755]) write(join(dir, `mode-${mode.toString(8)}`), 'x', mode)
  for (const name of ['README', 'readme', 'Readme', 'é', 'e\u0301', '名前', '😀', ' ', '-rf', 'a\\b', 'con', 'new\nline', '...', '__proto__', '\uff5e', '\ufeffmarked', 'x'.repeat(255)]) write(join(dir, name), name)
  symlinkSync('nowhere', join(dir, 'dangling'))
  symlinkSync('/etc/passwd', join(dir, 'absolute'))
  symlinkSync('../../..', join(dir, 'up'))
  symlinkSync('sub', join(dir, 'to-directory'))
  symlinkSync(Buffer.from([0xff, 0x2f, 0xfe]), join(dir, 'target-not-utf8'))
  symlinkSync('itself', join(dir, 'itself'))
  mkdirSync(join(dir, 'empty'))
  mkdirSync(join(dir, 'sub/deep/deeper'), { recursive: true })
  write(join(dir, 'sub/deep/deeper/file'), 'deep')
  mkdirSync(join(dir, 'read-only'))
  write(join(dir, 'read-only/file'), 'x', 0o400)
  symlinkSync('file', join(dir, 'read-only/link'))
  chmodSync(join(dir, 'read-only'), 0o555)
  mkdirSync(join(dir, 'sticky'))
  chmodSync(join(dir, 'sticky'), 0o1777)
  mkdirSync(join(dir, 'many'))
  for (let i = 0; i < many; i++) writeFileSync(join(dir, 'many', `f${i}`), i % 10 === 0 ? `${i}` : '')
}

async function treeOf (entries: Entry[]): Promise<{ ref: Reference, mode: number }> {
  const builder = new TreeBuilder(store.put)
  for (const e of entries) await builder.add(e)
  return { ref: await builder.finish(), mode: 0o755 }
}

const fileEntry = async (name: string, text = 'x'): Promise<Entry> => ({ kind: 'file', name, mode: 0o644, size: utf8(text).length, ref: await store.put(undefined, utf8(text)) })

describe('round trip', () => {
  test('a tricky directory comes back as it was, and twice gives the same Reference', async () => {
    makeTricky(at('from'), 5000)
    const seen = new Set<Reference>()
    const progress: number[] = []
    const root = await importPath(at('from'), store, { onBlock: (ref) => seen.add(ref), onProgress: (p) => progress.push(p.files) })
    expect(root).toMatchObject({ kind: 'tree', mode: 0o751, blocks: store.puts })
    expect(seen).toEqual(new Set(store.blocks.keys()))
    expect(progress.at(-1)).toBe(root.files)
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))

    const again: Reference[] = []
    const second = await importPath(at('from') + '/', store, { onBlock: (ref) => again.push(ref) })
    expect(second).toEqual(root)
    expect(new Set(again)).toEqual(seen)

    const umask = process.umask(0o077)
    try {
      const done = await checkout(store, root, at('to'), { specialModes: true })
      expect(done).toEqual({ path: at('to'), kind: 'tree', files: root.files, bytes: root.bytes })
    } finally {
      process.umask(umask)
    }
    expect(await compareTrees(at('from'), at('to'))).toBeUndefined()
    expect(readdirSync(base).sort()).toEqual(['from', 'to'])
  })

  test('setuid, setgid and sticky are left out unless asked for; what is reachable from the root is what was stored', async () => {
    makeTricky(at('from'))
    const root = await importPath(at('from'), store)
    await checkout(store, root, at('plain'))
    expect(await compareTrees(at('from'), at('plain'), { modeBits: 0o777 })).toBeUndefined()
    expect(lstatSync(at('plain/mode-4755')).mode & 0o7777).toBe(0o755)
    expect(lstatSync(at('plain/sticky')).mode & 0o7777).toBe(0o777)
    const reached = new Set<Reference>([root.ref])
    for (const r of reached) for (const child of childrenOf(store.blocks.get(r)!)) reached.add(child.ref)
    expect(reached).toEqual(new Set(store.blocks.keys()))
  })

  test.each([[0, 1], [1, 1], [LIMITS.chunkBytes, 1], [LIMITS.chunkBytes + 1, 3], [3 * 1024 * 1024, 13]])('a file of %i bytes is %i blocks', async (size, blocks) => {
    const bytes = noise(size)
    write(at('file'), bytes, 0o4711)
    const root = await importPath(at('file'), store)
    expect(root).toMatchObject({ kind: 'file', mode: 0o4711, files: 1, blocks, bytes: size })
    expect(await checkout(store, root, at('copy'))).toEqual({ path: at('copy'), kind: 'file', files: 1, bytes: size })
    expect(await compareTrees(at('file'), at('copy'), { modeBits: 0o777 })).toBeUndefined()
    expect(readdirSync(base).sort()).toEqual(['copy', 'file'])

    // The same bytes from a stream in odd pieces, and at once, are the same blocks.
    const pieces = function * (): Iterable<Uint8Array> {
      for (let i = 0; i < size; i += 100_003) yield bytes.subarray(i, i + 100_003)
    }
    for (const other of [await importStream(pieces(), store), await importBytes(bytes, store)]) {
      expect(other).toEqual({ ...root, mode: 0o644 } satisfies Imported)
    }
  })

  test('a link given as the path is followed, its target records the mode', async () => {
    mkdirSync(at('real'), { mode: 0o700 })
    write(at('real/file'), 'x', 0o600)
    symlinkSync('real', at('link'))
    symlinkSync('real/file', at('file-link'))
    expect(await importPath(at('link'), store)).toEqual(await importPath(at('real'), store))
    expect(await importPath(at('file-link'), store)).toMatchObject({ kind: 'file', mode: 0o600 })
  })

  test('a store that reads many at once is asked for many at once', async () => {
    makeTricky(at('from'))
    const root = await importPath(at('from'), store)
    let calls = 0
    const reader = { get: store.get, has: store.has, getMany: async (refs: readonly Reference[]) => { calls++; return refs.map((r) => store.blocks.get(r)) } }
    await checkout(reader, root, at('to'), { specialModes: true })
    expect(await compareTrees(at('from'), at('to'))).toBeUndefined()
    expect(calls).toBeLessThan(40)
  })
})

describe('import refuses', () => {
  const refused = async (code: string, naming: string): Promise<void> => {
    await expect(importPath(at('dir'), store)).rejects.toMatchObject({ name: 'DiadError', code, message: expect.stringContaining(naming) as unknown })
  }
  beforeEach(() => {
    mkdirSync(at('dir/sub'), { recursive: true })
    write(at('dir/a'), 'fine')
  })

  test('nothing at the path', async () => {
    await expect(importPath(at('none'), store)).rejects.toMatchObject({ code: 'no-such-path', message: expect.stringContaining('none') as unknown })
    write(at('plain'), 'x')
    await expect(importPath(at('plain/below'), store)).rejects.toMatchObject({ code: 'no-such-path', message: expect.stringContaining('plain/below') as unknown })
  })

  test('a name that is not UTF-8', async () => {
    writeFileSync(Buffer.concat([Buffer.from(at('dir/sub/bad-')), Buffer.from([0xff, 0xfe])]), 'x')
    await refused('name-unsupported', 'bad-\\xff\\xfe')
    await refused('name-unsupported', at('dir/sub'))
  })

  test('private keys, a home and offline roots, before any of it is stored, unless it is meant', async () => {
    const pem = (type: string): string => `-----BEGIN ${type}PRIVATE KEY-----\nMC4CAQAwBQ\n`
    const [age, armoured] = ['age-encryption.org/v1\n-> scrypt x 17\n', '-----BEGIN AGE ENCRYPTED FILE-----\n']
    const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
    // As `openssl ecparam -genkey`, web servers, `openssl pkcs12 -nodes` and PuTTY write them.
    const behind = [['ec.pem', `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${pem('EC ')}`], ['site.pem', certificate.repeat(3) + pem('')],
      ['crlf.pem', (certificate + pem('RSA ')).replaceAll('\n', '\r\n')], ['bag.pem', `Bag Attributes\n    localKeyID: 01\nKey Attributes: <No Attributes>\n${pem('')}`],
      ['a.ppk', 'PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\n'], ['long.pem', certificate.repeat(200) + pem('')],
      ['blank.pem', `\n\n  ${pem('')}`.replace('  -', '-')], ['said.pem', `# the key of the door\r\n#\n\n${pem('')}`]] as const
    for (const [name, text] of [['bot.key', pem('')], ['id', pem('OPENSSH ')], ['rsa', pem('RSA ')], ['e.pem', pem('ENCRYPTED ')], ['p.key.age', age], ['q.key.age', armoured], ...behind] as const) {
      write(at('dir/sub', name), text)
      await refused('private-key', at('dir/sub', name))
      await expect(importPath(at('dir/sub', name), store)).rejects.toMatchObject({ code: 'private-key' })
      expect((await importPath(at('dir'), store, { allowKeys: true })).files).toBe(2)
      unlinkSync(at('dir/sub', name))
    }
    for (const [name, format] of [['home.json', 'diad-home'], ['next-commitment.json', 'diad-next-commitment']] as const) {
      const fresh = new MemoryStore()
      write(at('dir/sub', name), JSON.stringify({ format, version: 1 }, null, 2))
      await expect(importPath(at('dir/sub'), fresh)).rejects.toMatchObject({ code: 'private-key', message: expect.stringContaining(at('dir/sub')) as unknown })
      expect(fresh.blocks.size).toBe(0)
      await importPath(at('dir/sub'), store, { allowKeys: true })
      unlinkSync(at('dir/sub', name))
    }
    await expect(importStream([utf8(pem(''))], store)).rejects.toMatchObject({ code: 'private-key' })
    // Meant for the world: public keys, certificates, encrypted files, somebody's own home.json, a text about keys.
    for (const [name, text] of [['k.pub', '-----BEGIN PUBLIC KEY-----\n'], ['c.crt', certificate.repeat(2)], ['letter.age', age], ['home.json', '{"rooms": 3}'], ['how.md', `# Keys\nsee\n${pem('')}`], ['dashes', '-----\n']] as const) write(at('dir/sub', name), text)
    expect((await importPath(at('dir'), store)).files).toBe(7)
  })

  test('a named pipe, without waiting for its writer', async () => {
    execFileSync('mkfifo', [at('dir/sub/pipe')])
    await refused('unsupported-file', at('dir/sub/pipe'))
    await expect(importPath(at('dir/sub/pipe'), store)).rejects.toMatchObject({ code: 'unsupported-file', message: expect.stringContaining('named pipe') as unknown })
  })

  test('a socket', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => { server.listen(at('dir/sub/socket'), resolve) })
    try {
      await refused('unsupported-file', at('dir/sub/socket'))
    } finally {
      await new Promise((resolve) => { server.close(resolve) })
    }
  })

  test('a device', async () => {
    await expect(importPath('/dev/null', store)).rejects.toMatchObject({ code: 'unsupported-file', message: expect.stringContaining('device') as unknown })
  })

  test.each(['file', 'directory'])('a %s that may not be read', async (kind) => {
    const path = at('dir/sub/secret')
    if (kind === 'file') write(path, 'x', 0)
    else mkdirSync(path, { mode: 0 })
    chmodSync(base, 0o755)
    // Root reads everything, so it steps down for the time of the import.
    if (IS_ROOT) process.seteuid?.(NOBODY)
    try {
      await refused('unreadable', path)
    } finally {
      if (IS_ROOT) process.seteuid?.(0)
    }
  })

  test.each<[string, number, (path: string) => void]>([
    ['shrank', 3 * 1024 * 1024, (path) => truncateSync(path, 1024 * 1024)],
    ['grew', 3 * 1024 * 1024, (path) => appendFileSync(path, 'more')],
    ['was rewritten in place', 3 * 1024 * 1024, (path) => writeFileSync(path, noise(3 * 1024 * 1024 + 7).subarray(7))]
  ])('a file that %s while it was read', async (_, size, change) => {
    const path = at('dir/sub/moving')
    write(path, noise(size))
    const put = store.put
    let puts = 0
    store.put = async (tag, payload) => {
      if (++puts === 3) change(path)
      return put(tag, payload)
    }
    await refused('file-changed', path)
  })

  test('a file without a size that has bytes all the same', async () => {
    if (!existsSync('/proc/self/status')) return
    await expect(importPath('/proc/self/status', store)).rejects.toMatchObject({ code: 'file-changed', message: expect.stringContaining('/proc/self/status') as unknown })
  })

  test('to go on after it was aborted', async () => {
    for (let i = 0; i < 1500; i++) writeFileSync(at('dir/sub', `f${i}`), 'x')
    const control = new AbortController()
    await expect(importPath(at('dir'), store, { signal: control.signal, onProgress: () => control.abort(new Error('enough')) })).rejects.toThrow('enough')
    expect(store.puts).toBeLessThan(1500)
    await expect(importPath(at('dir'), store, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
  })
})

describe('checkout refuses', () => {
  const hostile = async (bytes: Uint8Array): Promise<{ ref: Reference, mode: number }> => ({ ref: await store.put(TAG.tree, bytes), mode: 0o755 })
  const untouched = (...expected: string[]): void => expect(readdirSync(base).sort()).toEqual(expected.sort())

  test.each(['..', '.', 'a/b', '/x', 'a\0b'])('the name %j, and leaves nothing', async (name) => {
    // No encoder of ours writes such a Tree, so a good one is bent.
    const placeholder = 'q'.repeat(name.length)
    const { ref } = await treeOf([await fileEntry(placeholder)])
    const bytes = store.blocks.get(ref)!.payload.slice()
    bytes.set(utf8(name), Buffer.from(bytes).indexOf(placeholder))
    const inner = await hostile(bytes)
    const root = await treeOf([await fileEntry('a'), { kind: 'dir', name: 'b', mode: 0o755, ref: inner.ref }])
    for (const r of [inner, root]) await expect(checkout(store, r, at('to'))).rejects.toMatchObject({ code: 'content-malformed' })
    untouched()
  })

  test('unsorted and double names', async () => {
    for (const [a, b] of [['b', 'a'], ['a', 'a']] as const) {
      const { ref } = await treeOf([await fileEntry('k'), await fileEntry('l')])
      const bytes = store.blocks.get(ref)!.payload.slice()
      // Each entry is an array of five that begins with a text of one letter.
      const heads = [...bytes.keys()].filter((i) => bytes[i] === 0x85 && bytes[i + 1] === 0x61)
      bytes.set(utf8(a), heads[0]! + 2)
      bytes.set(utf8(b), heads[1]! + 2)
      await expect(checkout(store, await hostile(bytes), at('to'))).rejects.toMatchObject({ code: 'content-malformed' })
    }
    untouched()
  })

  test.each<[string, () => Promise<Entry>, string]>([
    ['a file that is a Tree', async () => ({ kind: 'file', name: 'x', mode: 0, size: 10, ref: (await treeOf([])).ref }), 'content-malformed'],
    ['a directory that is a file', async () => ({ kind: 'dir', name: 'x', mode: 0, ref: await store.put(undefined, utf8('x')) }), 'content-malformed'],
    ['a wrong size', async () => ({ kind: 'file', name: 'x', mode: 0, size: 2, ref: await store.put(undefined, utf8('x')) }), 'content-malformed'],
    ['a link with a NUL', async () => ({ kind: 'link', name: 'x', target: utf8('a\0b') }), 'content-malformed'],
    ['a block that is not here', async () => ({ kind: 'file', name: 'x', mode: 0, size: 1, ref: `0001${'ab'.repeat(32)}` as Reference }), 'content-missing']
  ])('%s, and leaves nothing', async (_, entry, code) => {
    const root = await treeOf([await fileEntry('a'), await entry()])
    await expect(checkout(store, root, at('to'))).rejects.toMatchObject({ code })
    untouched()
  })

  test('a root that is neither content nor directory', async () => {
    await expect(checkout(store, { ref: await store.put(TAG.lane, utf8('x')), mode: 0 }, at('to'))).rejects.toMatchObject({ code: 'content-malformed' })
  })

  test('a destination that is taken; takes an empty directory', async () => {
    const root = await treeOf([await fileEntry('a')])
    const single = { ref: await store.put(undefined, utf8('x')), mode: 0o644 }
    mkdirSync(at('full/kept'), { recursive: true })
    mkdirSync(at('empty'))
    write(at('file'), 'kept')
    symlinkSync('empty', at('link'))
    symlinkSync('nowhere', at('dangling'))
    for (const r of [root, single]) {
      for (const name of ['full', 'file', 'link', 'dangling']) await expect(checkout(store, r, at(name))).rejects.toMatchObject({ code: 'dest-not-empty' })
    }
    await expect(checkout(store, single, at('empty'))).rejects.toMatchObject({ code: 'dest-not-empty' })
    await expect(checkout(store, root, '/')).rejects.toMatchObject({ code: 'dest-not-empty' })
    await expect(checkout(store, root, at('none/to'))).rejects.toMatchObject({ code: 'not-found' })
    await expect(checkout(store, root, at('file/to'))).rejects.toMatchObject({ code: 'unwritable' })
    expect(readFileSync(at('file'), 'utf8')).toBe('kept')
    await checkout(store, root, at('empty'))
    expect(readdirSync(at('empty'))).toEqual(['a'])
    untouched('full', 'empty', 'file', 'link', 'dangling')
  })

  test.each<[string, (path: string) => void]>([
    ['a full directory', (path) => mkdirSync(join(path, 'kept'), { recursive: true })], ['a file', (path) => write(path, 'kept')], ['a link', (path) => symlinkSync('/', path)]
  ])('%s that comes to the destination meanwhile', async (_, come) => {
    const file = await fileEntry('a')
    for (const root of [await treeOf([file]), { ref: await store.put(undefined, utf8('x')), mode: 0o644 }]) {
      const path = at(`to-${root.ref.slice(0, 8)}-${root.mode}`)
      const last = root.mode === 0o755 && file.kind === 'file' ? file.ref : root.ref
      let gets = 0
      store.beforeGet = (ref) => { if (ref === last && ++gets === (root.mode === 0o755 ? 1 : 2)) come(path) }
      await expect(checkout(store, root, path)).rejects.toMatchObject({ code: 'dest-not-empty' })
      expect(lstatSync(path)).toBeDefined()
      await removeTree(base)
      mkdirSync(base)
    }
  })

  test('twins and names that the target can not hold, before the first file', async () => {
    const root = await treeOf([{ kind: 'dir', name: 'd', mode: 0o755, ref: (await treeOf([await fileEntry('README'), await fileEntry('con.txt'), await fileEntry('e\u0301'), await fileEntry('readme'), await fileEntry('\u00e9')])).ref }])
    const none = { ignoresCase: false, normalises: false, dos: false }
    for (const [rule, code, naming] of [['ignoresCase', 'name-twins', '"README" and "readme"'], ['normalises', 'name-twins', '"é"'], ['dos', 'name-unsupported', 'd/con.txt']] as const) {
      let written: string[] | undefined
      const files = new Set([...store.blocks].filter(([, a]) => a.typeTag === undefined).map(([ref]) => ref))
      store.beforeGet = (ref) => { if (files.has(ref)) written = readdirSync(base) }
      await expect(checkout(store, root, at('to'), { probe: () => ({ ...none, [rule]: true }) })).rejects.toMatchObject({ code, message: expect.stringContaining(naming) as unknown })
      expect(written).toBeUndefined()
    }
    untouched()
  })

  test('to go on after it was aborted, and cleans up', async () => {
    const root = await treeOf(await Promise.all(Array.from({ length: 500 }, async (_, i) => fileEntry(`f${String(i).padStart(3, '0')}`))))
    const control = new AbortController()
    let gets = 0
    store.beforeGet = async () => {
      if (++gets === 100) control.abort(new Error('enough'))
      if (gets > 50) await new Promise((resolve) => { setImmediate(resolve) })
    }
    await expect(checkout(store, root, at('to'), { signal: control.signal })).rejects.toThrow('enough')
    untouched()
    await expect(checkout(store, root, at('to'), { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
    untouched()
  })
})

describe('the partial directory', () => {
  test('is ours alone, and stands beside the destination', async () => {
    const root = await treeOf([await fileEntry('a')])
    const seen = new Map<string, number>()
    store.beforeGet = () => { for (const n of readdirSync(base)) seen.set(n, lstatSync(at(n)).mode & 0o7777) }
    await checkout(store, root, at('to'))
    expect([...seen.values()]).toEqual([0o700])
    expect([...seen.keys()][0]).toMatch(/^\.to\.diad-\d+-[A-Za-z0-9]{6}$/)
    expect(lstatSync(at('to')).mode & 0o7777).toBe(0o755)
  })

  test('of a killed run is removed, whatever its modes; nothing else is', async () => {
    const gone = execFileSync(process.execPath, ['-p', 'process.pid']).toString().trim()
    for (const name of ['.to.diad-abc123', `.to.diad-${gone}-ABC123`, `.to.diad-${process.pid}-own123`]) {
      mkdirSync(at(name, 'inner'), { recursive: true })
      write(at(name, 'inner/file'), 'x', 0)
      symlinkSync(at('kept'), at(name, 'inner/link'))
      chmodSync(at(name, 'inner'), 0)
      chmodSync(at(name), 0o555)
    }
    write(at('kept'), 'kept')
    mkdirSync(at('elsewhere'))
    write(at('elsewhere/kept'), 'kept')
    symlinkSync('elsewhere', at('.to.diad-LINK00'))
    const keep = ['.to.diad-LINK00', 'elsewhere', 'kept', '.to.diad-7chars0', '.to.diad-', '.other.diad-abc123', 'to.diad-abc123', `.to.diad-${process.ppid}-alive0`]
    for (const name of keep.slice(3)) mkdirSync(at(name))
    await checkout(store, await treeOf([await fileEntry('a')]), at('to'))
    expect(readdirSync(base).sort()).toEqual([...keep, 'to'].sort())
    expect(readFileSync(at('elsewhere/kept'), 'utf8')).toBe('kept')
  })

  test('of a checkout that is running is left alone', async () => {
    const root = await treeOf([await fileEntry('a')])
    let nested: Promise<unknown> | undefined
    let gets = 0
    store.beforeGet = async () => {
      if (++gets !== 2) return
      nested = checkout(store, root, at('to'))
      await nested
    }
    await expect(checkout(store, root, at('to'))).rejects.toMatchObject({ code: 'dest-not-empty' })
    await nested
    expect(readdirSync(base)).toEqual(['to'])
  })

  test('a link planted where a file or directory is to come is not followed', async () => {
    mkdirSync(at('outside'))
    const sub = await treeOf([await fileEntry('inner')])
    const root = await treeOf([await fileEntry('a'), { kind: 'dir', name: 'd', mode: 0o755, ref: sub.ref }, await fileEntry('f', 'last')])
    for (const name of ['d', 'f']) {
      let planted = false
      store.beforeGet = () => {
        const partial = readdirSync(base).find((n) => n.startsWith('.to.diad-'))
        if (planted || partial === undefined) return
        planted = true
        symlinkSync(at('outside'), at(partial, name))
      }
      await expect(checkout(store, root, at('to'))).rejects.toMatchObject({ code: 'name-twins' })
      expect(planted).toBe(true)
    }
    expect(readdirSync(base)).toEqual(['outside'])
    expect(readdirSync(at('outside'))).toEqual([])
  })

  test('a link of the Tree itself is never a way out', async () => {
    mkdirSync(at('outside'))
    const root = await treeOf([{ kind: 'link', name: 'a', target: utf8(at('outside')) }, { kind: 'dir', name: 'b', mode: 0o755, ref: (await treeOf([await fileEntry('x')])).ref }])
    await checkout(store, root, at('to'))
    expect(readdirSync(at('outside'))).toEqual([])
    expect(lstatSync(at('to/a')).isSymbolicLink()).toBe(true)
  })

  test('stands beside the real place when the way to the destination is a link', async () => {
    mkdirSync(at('real'))
    symlinkSync('real', at('way'))
    expect(await checkout(store, await treeOf([]), at('way/to'))).toMatchObject({ path: at('real/to') })
    expect(statSync(at('real/to')).isDirectory()).toBe(true)
  })

  test('fits beside a name of 255 bytes', async () => {
    await checkout(store, await treeOf([]), at('n'.repeat(255)))
    expect(readdirSync(base)).toEqual(['n'.repeat(255)])
  })
})

describe('compareTrees', () => {
  test.each<[string, () => void, string]>([
    ['a byte', () => write(at('b/f'), 'y'), 'bytes differ'], ['a size', () => write(at('b/f'), 'xx'), '1 bytes'], ['a mode', () => chmodSync(at('b/f'), 0o600), 'mode 0644'],
    ['a name', () => renameSync(at('b/f'), at('b/F')), 'only on the second'], ['one more', () => write(at('b/zz'), ''), '"zz" is only on the second'],
    ['a target', () => { renameSync(at('b/l'), at('old')); symlinkSync('other', at('b/l')) }, 'targets differ'],
    ['a type', () => { renameSync(at('b/l'), at('old')); write(at('b/l'), 'f') }, 'link on one side'], ['the top mode', () => chmodSync(at('b'), 0o700), 'mode']
  ])('finds %s', async (_, change, said) => {
    for (const side of ['a', 'b']) {
      mkdirSync(at(side))
      chmodSync(at(side), 0o755)
      write(at(side, 'f'), 'x')
      symlinkSync('f', at(side, 'l'))
    }
    expect(await compareTrees(at('a'), at('b'))).toBeUndefined()
    change()
    expect(await compareTrees(at('a'), at('b'))).toContain(said)
  })
})

test('the empty Tree is pinned', () => {
  expect(Buffer.from(treeCodec.encode({ level: 0, entries: [] })).toString('hex')).toBe('a2656c6576656c0067656e747269657380')
})
