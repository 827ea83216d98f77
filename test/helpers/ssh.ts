/** OpenSSH's tools for tests: an agent of our own on a socket of its own, and key files in OpenSSH's format. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import type { KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { publicKeyOf } from '../../src/node/keys/signer.js'
import { SSH_ED25519, sshString, sshU32 } from '../../src/node/keys/ssh-wire.js'
import { concatBytes, fromHex, utf8 } from '../../src/substrate/bytes.js'

/** Why tests with the real agent can't run here; said once, where they are skipped. */
export const NO_SSH = ['ssh-agent', 'ssh-add', 'ssh-keygen'].every((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0)
  ? undefined
  : 'ssh-agent, ssh-add and ssh-keygen aren\'t installed (Debian: openssh-client)'
if (NO_SSH !== undefined) console.log(`skipped: ${NO_SSH}`)

export interface RealAgent {
  readonly socket: string
  /** `ssh-add` with these words; what it printed */
  add: (...words: string[]) => string
  close: () => Promise<void>
}

/** `askpass`: the program that answers for the person whom `ssh-add -c` wants asked. */
export async function startAgent (socket: string, askpass = '/bin/false'): Promise<RealAgent> {
  const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' }
  const child = spawn('ssh-agent', ['-D', '-a', socket], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  // It says where it listens once it does.
  await Promise.race([once(child.stdout, 'data'), closed.then(() => { throw new Error('ssh-agent ended') })])
  return {
    socket,
    add: (...words) => execFileSync('ssh-add', words, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    async close () {
      child.kill()
      await closed
    }
  }
}

/** A private key in OpenSSH's own format, as `ssh-keygen` writes it, mode 0600. */
export function writeOpenSsh (path: string, key: KeyObject, comment = ''): void {
  const seed = key.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
  const half = fromHex(publicKeyOf(key))
  const blob = concatBytes(sshString(utf8(SSH_ED25519)), sshString(half))
  const secret = concatBytes(sshU32(7), sshU32(7), blob, sshString(concatBytes(seed, half)), sshString(utf8(comment)))
  const padding = Uint8Array.from({ length: (8 - secret.length % 8) % 8 }, (_, i) => i + 1)
  const none = sshString(utf8('none'))
  const file = concatBytes(utf8('openssh-key-v1\0'), none, none, sshString(new Uint8Array()), sshU32(1), sshString(blob), sshString(concatBytes(secret, padding)))
  const lines = Buffer.from(file).toString('base64').replace(/.{1,70}/g, '$&\n')
  writeFileSync(path, `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}-----END OPENSSH PRIVATE KEY-----\n`, { mode: 0o600 })
}
