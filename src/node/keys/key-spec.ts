/**
 * How a person names a key with `--key`:
 *
 *     /media/usb/rescue.key.age                               a key file, used where it lies
 *     agent:                                                  the only Ed25519 key in the ssh-agent
 *     agent:SHA256:…   agent:COMMENT   agent:PUBLIC-KEY-HEX   one of several
 *     pkcs11:/usr/lib/module.so?token=LABEL&object=LABEL      a key in a token; labels are percent-encoded where they have to be
 */
import { DiadError } from '../../substrate/errors.js'

export type KeySpec =
  | { readonly kind: 'file', readonly path: string }
  /** `which` may be empty; `socket` is given where the agent of another process is meant */
  | { readonly kind: 'agent', readonly which: string, readonly socket: string | undefined }
  | { readonly kind: 'pkcs11', readonly module: string, readonly token: string | undefined, readonly object: string | undefined }

const AGENT = 'agent:'
const PKCS11 = 'pkcs11:'
const SOCKET = '?socket='

/** Throws DiadError `bad-key-spec`. */
export function parseKeySpec (spec: string): KeySpec {
  if (spec.startsWith(AGENT)) {
    const at = spec.lastIndexOf(SOCKET)
    return at < 0 ? { kind: 'agent', which: spec.slice(AGENT.length), socket: undefined } : { kind: 'agent', which: spec.slice(AGENT.length, at), socket: spec.slice(at + SOCKET.length) }
  }
  if (spec.startsWith(PKCS11)) return parsePkcs11(spec)
  if (spec === '' || spec.includes('\0')) throw bad(spec, 'it names no file')
  return { kind: 'file', path: spec }
}

/**
 * The same key for a process that has another environment, such as the daemon: the agent meant is that of whoever typed it. Without an agent in
 * `env` the spec stays as it is.
 */
export function withAgentSocket (spec: string, env: Readonly<Record<string, string | undefined>>): string {
  const socket = env['SSH_AUTH_SOCK']
  return !spec.startsWith(AGENT) || spec.includes(SOCKET) || socket === undefined || socket === '' ? spec : spec + SOCKET + socket
}

function parsePkcs11 (spec: string): KeySpec {
  const [module = '', query = ''] = split(spec.slice(PKCS11.length), '?')
  if (!/^(?:\/|[A-Za-z]:[\\/])/.test(module)) throw bad(spec, 'the module has to be an absolute path')
  const given = new Map<string, string>()
  for (const part of query === '' ? [] : query.split('&')) {
    const [name = '', value = ''] = split(part, '=')
    if ((name !== 'token' && name !== 'object') || given.has(name) || value === '') throw bad(spec, 'behind the module stand token=LABEL and object=LABEL, each once')
    try {
      given.set(name, decodeURIComponent(value))
    } catch (err) {
      throw bad(spec, 'its percent-encoding is wrong', err)
    }
  }
  return { kind: 'pkcs11', module, token: given.get('token'), object: given.get('object') }
}

function split (text: string, by: string): string[] {
  const at = text.indexOf(by)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + by.length)]
}

/** Says nothing of the spec but its kind: somebody may have written a PIN into it. That would stand in the process list; it is asked for instead. */
function bad (spec: string, why: string, cause?: unknown): DiadError {
  const kind = /^[a-z0-9]+:/.exec(spec)?.[0] ?? ''
  return new DiadError('bad-key-spec', `the key ${kind}… can't be understood: ${why}`, 'write a path, agent:KEY or pkcs11:/path/to/module.so?token=LABEL&object=LABEL', { cause })
}
