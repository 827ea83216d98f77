/** A signer for what a person names with `--key` (key-spec.ts): a key that is used where it is and never copied. */
import { DiadError } from '../../substrate/errors.js'
import type { PublicKey } from '../../substrate/reference.js'
import { loadKey } from './key-file.js'
import { parseKeySpec } from './key-spec.js'
import type { PassphraseSource } from './passphrase.js'
import type { OpenedSigner } from './signer.js'

export interface OpenOptions {
  /** the key that it has to be, where the caller knows it */
  readonly expected?: PublicKey
  /** ends waiting for a person: for a confirmation, a touch */
  readonly signal?: AbortSignal
  /** where `agent:` finds its socket; of this process if not given */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * Opens `spec`; file paths have to be absolute. `passphrase` is that of a file, or a token's PIN. Throws DiadError `bad-key-spec`, `key-mismatch`,
 * and what `loadKey`, `listAgent`, `pickAgentKey` and `openToken` throw. `sign` throws DiadError `signer-lied`, and what `agentSigner` and `openToken` say.
 */
export async function openSigner (spec: string, passphrase: PassphraseSource, options: OpenOptions = {}): Promise<OpenedSigner> {
  const signer = await open(spec, passphrase, options)
  if (options.expected !== undefined && signer.publicKey !== options.expected) {
    signer.close()
    throw new DiadError('key-mismatch', `--key names the key ${signer.publicKey} where ${options.expected} is needed`, 'name the other one')
  }
  return signer
}

async function open (spec: string, passphrase: PassphraseSource, options: OpenOptions): Promise<OpenedSigner> {
  const key = parseKeySpec(spec)
  switch (key.kind) {
    case 'file': {
      const { signer } = await loadKey(key.path, passphrase, options.expected === undefined ? {} : { expected: options.expected })
      return { ...signer, close: () => undefined }
    }
    case 'agent': {
      const socket = key.socket ?? (options.env ?? process.env)['SSH_AUTH_SOCK']
      if (socket === undefined || socket === '') {
        throw new DiadError('agent-unreachable', 'there is no ssh-agent: SSH_AUTH_SOCK isn\'t set', 'start one (`eval $(ssh-agent)`) and add the key (`ssh-add FILE`)')
      }
      // Loaded where it is needed: a key file needs no sockets.
      const { agentSigner, listAgent, pickAgentKey } = await import('./ssh-agent.js')
      const agent = { socket, ...(options.signal === undefined ? {} : { signal: options.signal }) }
      return { ...agentSigner(agent, pickAgentKey(agent, await listAgent(agent), key.which, options.expected)), close: () => undefined }
    }
    case 'pkcs11': {
      const { openToken } = await import('./pkcs11.js')
      return await openToken(key, passphrase, options.signal === undefined ? {} : { signal: options.signal })
    }
  }
}
