/** The nonces that this home handed out, each with the request that it was used for: `HOME/admission-nonces.json`. Local; nothing signed holds it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DiadError } from '../../substrate/errors.js'
import { isReference, type Reference } from '../../substrate/reference.js'
import { errorCode, replaceFile } from '../home/atomic-file.js'
import type { Home } from '../home/home.js'
import { waits } from './waiting.js'

/** Nonces that nobody used, the oldest go first. */
const MAX_OPEN = 1000

export type Nonces = Map<string, Reference | undefined>

const fileOf = (home: Home): string => join(home.paths.root, 'admission-nonces.json')

/** Throws DiadError `nonces-damaged`. */
export function readNonces (home: Home): Nonces {
  const path = fileOf(home)
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    const out: Nonces = new Map()
    for (const [nonce, used] of Object.entries(value as Record<string, unknown>)) {
      if (!/^[0-9a-f]{64}$/.test(nonce) || (used !== null && !(typeof used === 'string' && isReference(used)))) throw new Error('not a nonce')
      out.set(nonce, used ?? undefined)
    }
    return out
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return new Map()
    throw new DiadError('nonces-damaged', `${path} can't be read as a list of nonces`, 'move it away: requests made for older nonces then have to be made again', { cause: err })
  }
}

/** The nonces by which `request`, made with `nonce`, is judged: one that came over the network and waits had a nonce of its own. */
export function noncesFor (home: Home, request: Reference, nonce: string): Nonces {
  const nonces = readNonces(home)
  return waits(home, request) && !nonces.has(nonce) ? nonces.set(nonce, request) : nonces
}

export function addNonce (home: Home, nonce: string): void {
  const nonces = readNonces(home).set(nonce, undefined)
  const open = [...nonces].filter(([, used]) => used === undefined).map(([n]) => n)
  for (const n of open.slice(0, Math.max(0, open.length - MAX_OPEN))) nonces.delete(n)
  write(home, nonces)
}

/** From now on it stands for this request only. */
export function useNonce (home: Home, nonce: string, request: Reference): void {
  write(home, readNonces(home).set(nonce, request))
}

function write (home: Home, nonces: Nonces): void {
  replaceFile(fileOf(home), JSON.stringify(Object.fromEntries([...nonces].map(([n, used]) => [n, used ?? null])), null, 2) + '\n')
}
