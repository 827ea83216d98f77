/** Keys in an ssh-agent: the real one, and agents that don't keep to anything. */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadKey } from '../../src/node/keys/key-file.js'
import { parseKeySpec, withAgentSocket } from '../../src/node/keys/key-spec.js'
import { openSigner } from '../../src/node/keys/open-signer.js'
import { publicKeyOf } from '../../src/node/keys/signer.js'
import { type Agent, agentSigner, listAgent, pickAgentKey } from '../../src/node/keys/ssh-agent.js'
import { sshString, sshU32 } from '../../src/node/keys/ssh-wire.js'
import { concatBytes, fromHex, utf8 } from '../../src/substrate/bytes.js'
import { DiadError } from '../../src/substrate/errors.js'
import type { PublicKey } from '../../src/substrate/reference.js'
import { nobleVerifier } from '../../src/substrate/verifier.js'
import { codeOf } from '../helpers/code-of.js'
import { NO_SSH, type RealAgent, startAgent, writeOpenSsh } from '../helpers/ssh.js'

const NONE = { kind: 'none' } as const
const MESSAGE = utf8('DSSEv1 something')

let dir: string
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'diad-agent-')) })
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function newKey (): { key: KeyObject, publicKey: PublicKey } {
  const key = generateKeyPairSync('ed25519').privateKey
  return { key, publicKey: publicKeyOf(key) }
}

describe('a key spec', () => {
  it.each([
    ['/media/usb/a.key', { kind: 'file', path: '/media/usb/a.key' }],
    ['agent:', { kind: 'agent', which: '', socket: undefined }],
    ['agent:me@host?socket=/run/x', { kind: 'agent', which: 'me@host', socket: '/run/x' }],
    ['pkcs11:/lib/m.so', { kind: 'pkcs11', module: '/lib/m.so', token: undefined, object: undefined }],
    ['pkcs11:/lib/m.so?object=my%20key&token=a%26b', { kind: 'pkcs11', module: '/lib/m.so', token: 'a&b', object: 'my key' }]
  ])('%s', (spec, want) => { expect(parseKeySpec(spec)).toEqual(want) })

  it.each(['', 'a\0b', 'pkcs11:', 'pkcs11:m.so', 'pkcs11:/m.so?pin-value=9731', 'pkcs11:/m.so?9731', 'pkcs11:/m.so?token=', 'pkcs11:/m.so?token=a&token=b', 'pkcs11:/m.so?token=%9731'])('%j is refused, and not repeated', (spec) => {
    let err: unknown
    try {
      parseKeySpec(spec)
    } catch (e) {
      err = e
    }
    expect(err).toMatchObject({ code: 'bad-key-spec' })
    expect(`${(err as DiadError).message}${(err as DiadError).hint}`).not.toContain('9731')
  })

  it('takes the agent of whoever typed it along', () => {
    expect(withAgentSocket('agent:x', { SSH_AUTH_SOCK: '/s' })).toBe('agent:x?socket=/s')
    expect(withAgentSocket('agent:x?socket=/t', { SSH_AUTH_SOCK: '/s' })).toBe('agent:x?socket=/t')
    expect(withAgentSocket('agent:x', {})).toBe('agent:x')
    expect(withAgentSocket('/agent', { SSH_AUTH_SOCK: '/s' })).toBe('/agent')
  })
})

describe.skipIf(NO_SSH !== undefined)('the real ssh-agent', () => {
  let agent: RealAgent
  beforeEach(async () => { agent = await startAgent(join(dir, 'sock')) })
  afterEach(async () => { await agent.close() })
  const open = (which = '', options: { expected?: PublicKey } = {}): ReturnType<typeof openSigner> => openSigner(`agent:${which}`, NONE, { env: { SSH_AUTH_SOCK: agent.socket }, ...options })

  it('signs with the one key that it has, by any of its names', async () => {
    const { key, publicKey } = newKey()
    writeOpenSsh(join(dir, 'a'), key, 'me@here')
    expect(await codeOf(open())).toBe('key-missing')
    agent.add(join(dir, 'a'))
    const fingerprint = agent.add('-l').split(' ')[1] as string
    for (const which of ['', 'me@here', fingerprint, publicKey, publicKey.toUpperCase()]) {
      const signer = await open(which)
      expect(signer.publicKey).toBe(publicKey)
      expect(nobleVerifier.verify(publicKey, MESSAGE, await signer.sign(MESSAGE))).toBe(true)
    }
    expect(await codeOf(open('you@there'))).toBe('key-missing')
    expect(await codeOf(open('', { expected: newKey().publicKey }))).toBe('key-missing')
    expect(await codeOf(open(publicKey, { expected: newKey().publicKey }))).toBe('key-mismatch')
  })

  it('has to be told which of several, unless it is known', async () => {
    const keys = [newKey(), newKey()]
    keys.forEach(({ key }, i) => {
      writeOpenSsh(join(dir, `${i}`), key, 'twins')
      agent.add(join(dir, `${i}`))
    })
    expect(await codeOf(open())).toBe('key-ambiguous')
    expect(await codeOf(open('twins'))).toBe('key-ambiguous')
    for (const { publicKey } of keys) expect((await open('', { expected: publicKey })).publicKey).toBe(publicKey)
  })

  it('offers no other types and no certificates', async () => {
    const keygen = (...words: string[]): Buffer => execFileSync('ssh-keygen', ['-q', ...words], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
    keygen('-t', 'ecdsa', '-N', '', '-f', 'ec', '-C', 'ec')
    agent.add(join(dir, 'ec'))
    expect(await codeOf(open())).toBe('key-missing')
    expect(await codeOf(open('ec'))).toBe('key-missing')
    // ssh-add takes the certificate beside the key along, under the same comment.
    keygen('-t', 'ed25519', '-N', '', '-f', 'ca')
    keygen('-t', 'ed25519', '-N', '', '-f', 'id', '-C', 'id')
    keygen('-s', 'ca', '-I', 'me', '-n', 'me', 'id.pub')
    agent.add(join(dir, 'id'))
    expect(agent.add('-l')).toContain('ED25519-CERT')
    expect(await listAgent(agent)).toMatchObject({ others: 2, keys: [{ comment: 'id' }] })
    const signer = await open('id')
    expect(nobleVerifier.verify(signer.publicKey, MESSAGE, await signer.sign(MESSAGE))).toBe(true)
  })

  it('that loses the key, is locked, or goes away in between', async () => {
    const { key } = newKey()
    writeOpenSsh(join(dir, 'a'), key)
    agent.add(join(dir, 'a'))
    const signer = await open()
    agent.add('-D')
    expect(await codeOf(signer.sign(MESSAGE))).toBe('agent-refused')
    await agent.close()
    expect(await codeOf(signer.sign(MESSAGE))).toBe('agent-unreachable')
    expect(await codeOf(open())).toBe('agent-unreachable')
    expect(await codeOf(openSigner('agent:', NONE, { env: {} }))).toBe('agent-unreachable')
    expect(await codeOf(openSigner('agent:', NONE, { env: { SSH_AUTH_SOCK: join(dir, 'x'.repeat(120)) } }))).toBe('agent-unreachable')
  })
})

it.skipIf(NO_SSH !== undefined)('a person who is asked for each signature can say no', async () => {
  const { key, publicKey } = newKey()
  writeOpenSsh(join(dir, 'a'), key)
  for (const [program, code] of [['/bin/true', 'none'], ['/bin/false', 'agent-refused']] as const) {
    const agent = await startAgent(join(dir, code), program)
    try {
      agent.add('-c', join(dir, 'a'))
      const signer = await openSigner('agent:', NONE, { expected: publicKey, env: { SSH_AUTH_SOCK: agent.socket } })
      expect(await codeOf(signer.sign(MESSAGE))).toBe(code)
    } finally {
      await agent.close()
    }
  }
})

describe('an agent that doesn\'t keep to its protocol', () => {
  const { key, publicKey } = newKey()
  const blob = concatBytes(sshString(utf8('ssh-ed25519')), sshString(fromHex(publicKey)))
  const frame = (type: number, ...parts: Uint8Array[]): Uint8Array => sshString(concatBytes(new Uint8Array([type]), ...parts))
  const text = (s: string): Uint8Array => sshString(utf8(s))
  const list = (...blobs: Uint8Array[]): Uint8Array => frame(12, sshU32(blobs.length), ...blobs.flatMap((b) => [sshString(b), text('c')]))
  const signature = (type: string, bytes: Uint8Array): Uint8Array => frame(14, sshString(concatBytes(text(type), sshString(bytes))))
  const good = new Uint8Array(sign(null, MESSAGE, key))

  let server: Server | undefined
  const open = new Set<Socket>()
  afterEach(async () => {
    for (const socket of open) socket.destroy()
    await new Promise((resolve) => server === undefined ? resolve(undefined) : server.close(resolve))
    server = undefined
  })

  /** An agent that answers everything with these bytes (none: it says nothing; 'end': it hangs up). */
  async function fake (reply: Uint8Array | 'silent' | 'end' | ((socket: Socket) => void)): Promise<Agent> {
    const socket = join(dir, 'fake')
    server = createServer((peer) => {
      open.add(peer)
      peer.on('error', () => undefined)
      if (typeof reply === 'function') reply(peer)
      else if (reply !== 'silent') peer.once('data', () => reply === 'end' ? peer.end() : peer.write(reply))
    })
    await new Promise<void>((resolve) => server?.listen(socket, resolve))
    // Short only where nothing else is expected: a busy machine mustn't fail the others.
    const limit = typeof reply === 'function' || reply === 'silent' || reply.length < 4 ? 150 : 20_000
    return { socket, listMs: limit, signMs: limit }
  }

  it.each([
    ['a reply of 4 GiB', new Uint8Array(8).fill(255), 'agent-faulty'],
    ['a reply just too long', sshU32(256 * 1024 + 1), 'agent-faulty'],
    ['an empty reply', sshU32(0), 'agent-faulty'],
    ['bytes behind the reply', concatBytes(list(blob), new Uint8Array(1)), 'agent-faulty'],
    ['another reply', frame(6), 'agent-faulty'],
    ['a refusal', frame(5), 'agent-refused'],
    ['a list cut off', frame(12, sshU32(2), sshString(blob), text('c')), 'agent-faulty'],
    ['a list longer than its bytes', frame(12, sshU32(2 ** 32 - 1)), 'agent-faulty'],
    ['a string longer than its frame', frame(12, sshU32(1), sshU32(2 ** 31), new Uint8Array(9)), 'agent-faulty'],
    ['bytes behind the list', frame(12, sshU32(0), new Uint8Array(1)), 'agent-faulty'],
    ['a key of 31 bytes', list(concatBytes(text('ssh-ed25519'), sshString(new Uint8Array(31)))), 'agent-faulty'],
    ['a key with something behind it', list(concatBytes(blob, new Uint8Array(1))), 'agent-faulty'],
    ['half a header and silence', new Uint8Array(2), 'agent-timeout'],
    ['silence', 'silent', 'agent-timeout'],
    ['a hung up connection', 'end', 'agent-unreachable']
  ] as const)('%s', async (_, reply, code) => {
    expect(await codeOf(listAgent(await fake(reply)))).toBe(code)
  })

  it('a byte now and then: the limit is for the whole answer', async () => {
    const agent = await fake((socket) => {
      socket.write(sshU32(1000))
      const timer = setInterval(() => socket.write(new Uint8Array(1)), 20)
      socket.on('close', () => clearInterval(timer))
    })
    expect(await codeOf(listAgent(agent))).toBe('agent-timeout')
  })

  it('a key in many names is one key; other types are counted', async () => {
    const agent = await fake(list(blob, blob, concatBytes(text('ssh-rsa'), new Uint8Array(3)), text('ssh-ed25519-cert-v01@openssh.com'), text('sk-ssh-ed25519@openssh.com')))
    const listed = await listAgent(agent)
    expect(listed).toMatchObject({ keys: [{ publicKey }], others: 3 })
    expect(pickAgentKey(agent, listed, '').publicKey).toBe(publicKey)
  })

  it('a key of small order is never used', async () => {
    const small = '0100000000000000000000000000000000000000000000000000000000000000' as PublicKey
    const agent = await fake(list(concatBytes(text('ssh-ed25519'), sshString(fromHex(small)))))
    const listed = await listAgent(agent)
    expect(() => agentSigner(agent, pickAgentKey(agent, listed, ''))).toThrow(expect.objectContaining({ code: 'key-type' }))
  })

  it.each([
    ['the right signature', signature('ssh-ed25519', good), 'none'],
    ['one over something else', signature('ssh-ed25519', new Uint8Array(sign(null, utf8('other'), key))), 'signer-lied'],
    ['one by another key', signature('ssh-ed25519', new Uint8Array(sign(null, MESSAGE, newKey().key))), 'signer-lied'],
    ['zeros', signature('ssh-ed25519', new Uint8Array(64)), 'signer-lied'],
    ['another algorithm', signature('rsa-sha2-512', good), 'agent-faulty'],
    ['a long one', signature('ssh-ed25519', concatBytes(good, new Uint8Array(1))), 'agent-faulty'],
    ['one with something behind it', frame(14, sshString(concatBytes(text('ssh-ed25519'), sshString(good), text('x')))), 'agent-faulty'],
    ['a list in its place', list(blob), 'agent-faulty'],
    ['a refusal', frame(5), 'agent-refused'],
    ['silence', 'silent', 'agent-timeout']
  ] as const)('asked to sign it gives %s', async (_, reply, code) => {
    const signer = agentSigner(await fake(reply), { publicKey, comment: 'c', fingerprint: '', blob })
    expect(await codeOf(signer.sign(MESSAGE))).toBe(code)
  })

  it('waiting ends when it is told to', async () => {
    const agent = await fake('silent')
    const stop = new AbortController()
    const signing = agentSigner({ ...agent, signMs: 60_000, signal: stop.signal }, { publicKey, comment: '', fingerprint: '', blob }).sign(MESSAGE)
    stop.abort(new DiadError('interrupted', 'interrupted', 'again'))
    expect(await codeOf(signing)).toBe('interrupted')
  })
})

describe('an OpenSSH key file', () => {
  it('as ssh-keygen writes it, opens without a record beside it', async ({ skip }) => {
    if (NO_SSH !== undefined) skip(NO_SSH)
    const path = join(dir, 'id')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'a comment', '-f', path])
    const half = Buffer.from(readFileSync(`${path}.pub`, 'utf8').split(' ')[1] as string, 'base64').subarray(-32).toString('hex')
    const signer = await openSigner(path, NONE)
    expect(signer.publicKey).toBe(half)
    expect(nobleVerifier.verify(signer.publicKey, MESSAGE, await signer.sign(MESSAGE))).toBe(true)
    expect(await codeOf(openSigner(path, NONE, { expected: newKey().publicKey }))).toBe('key-damaged')
    chmodSync(path, 0o644)
    expect(await codeOf(openSigner(path, NONE))).toBe('key-mode')
  })

  it('with a passphrase or of another type is left to OpenSSH', async ({ skip }) => {
    if (NO_SSH !== undefined) skip(NO_SSH)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret', '-f', join(dir, 'enc')])
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', join(dir, 'ec')])
    for (const name of ['enc', 'ec']) expect(await codeOf(openSigner(join(dir, name), NONE))).toBe('key-type')
  })

  it('with any bit of it flipped is refused, or holds the same key', async () => {
    const { key, publicKey } = newKey()
    const path = join(dir, 'id')
    writeOpenSsh(path, key, 'comment')
    const good = readFileSync(path)
    expect((await loadKey(path, NONE)).publicKey).toBe(publicKey)
    let harmless = 0
    for (let i = 0; i < good.length; i++) {
      const bad = Buffer.from(good)
      bad[i]! ^= 1 << (i & 7)
      writeFileSync(path, bad)
      try {
        expect((await loadKey(path, NONE)).publicKey).toBe(publicKey)
        harmless++ // the comment, the two equal numbers, white space
      } catch (err) {
        expect((err as DiadError).code).toMatch(/^key-(damaged|type|unrecorded)$/)
      }
    }
    expect(harmless).toBeLessThan(30)
    for (const cut of [0, 40, good.length - 40]) {
      writeFileSync(path, good.subarray(0, cut))
      expect(await codeOf(loadKey(path, NONE))).toMatch(/^key-(damaged|unrecorded)$/)
    }
  })
})
