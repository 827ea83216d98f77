/** Compares two real files or directories: the check behind every "byte-identical" that the tests and the demo print. */
import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type Stats, statSync } from 'node:fs'
import { showName } from '../../publication/names.js'
import { Pacer } from './pacer.js'

export interface CompareOptions {
  /** the bits of a mode that must agree; 0o7777 unless said */
  modeBits?: number
  signal?: AbortSignal
}

const PIECE = 1024 * 1024

/**
 * The first difference between `a` and `b` in names, types, modes, bytes or link targets, as one line; undefined when there is none. A link given as
 * `a` or `b` is followed, links below are compared as links. System errors are thrown as they come.
 */
export async function compareTrees (a: string, b: string, { modeBits = 0o7777, signal }: CompareOptions = {}): Promise<string | undefined> {
  const pacer = new Pacer(signal)
  const left = Buffer.allocUnsafe(PIECE)
  const right = Buffer.allocUnsafe(PIECE)

  const compare = async (x: Buffer, y: Buffer, shown: string, xs: Stats, ys: Stats): Promise<string | undefined> => {
    if (pacer.due()) await pacer.turn()
    if (typeOf(xs) !== typeOf(ys)) return `${shown}: ${typeOf(xs)} on one side, ${typeOf(ys)} on the other`
    if (xs.isSymbolicLink()) return readlinkSync(x, 'buffer').equals(readlinkSync(y, 'buffer')) ? undefined : `${shown}: the links' targets differ`
    if (((xs.mode ^ ys.mode) & modeBits) !== 0) return `${shown}: mode ${octal(xs.mode & modeBits)} on one side, ${octal(ys.mode & modeBits)} on the other`
    if (xs.isFile()) return compareBytes(x, y, shown)
    if (!xs.isDirectory()) return undefined
    const xn = namesIn(x)
    const yn = namesIn(y)
    for (let i = 0; i < Math.max(xn.length, yn.length); i++) {
      const p = xn[i]
      const q = yn[i]
      if (p === undefined || q === undefined || !p.equals(q)) {
        const only = p === undefined || (q !== undefined && Buffer.compare(q, p) < 0) ? q : p
        return `${shown}: ${showName(only?.toString() ?? '')} is only on the ${only === p ? 'first' : 'second'} side`
      }
      const xp = below(x, p)
      const yp = below(y, q)
      const difference = await compare(xp, yp, showName(xp.toString()), lstatSync(xp), lstatSync(yp))
      if (difference !== undefined) return difference
    }
    return undefined
  }

  const compareBytes = async (x: Buffer, y: Buffer, shown: string): Promise<string | undefined> => {
    const xf = openSync(x, 'r')
    try {
      const yf = openSync(y, 'r')
      try {
        const xSize = fstatSync(xf).size
        const ySize = fstatSync(yf).size
        if (xSize !== ySize) return `${shown}: ${xSize} bytes on one side, ${ySize} on the other`
        for (let at = 0; ;) {
          const n = readSync(xf, left, 0, PIECE, at)
          const m = readSync(yf, right, 0, PIECE, at)
          if (n !== m || left.compare(right, 0, m, 0, n) !== 0) return `${shown}: the bytes differ after ${at}`
          if (n === 0) return undefined
          at += n
          if (pacer.due()) await pacer.turn()
        }
      } finally {
        closeSync(yf)
      }
    } finally {
      closeSync(xf)
    }
  }

  return compare(Buffer.from(a), Buffer.from(b), showName(a), statSync(a), statSync(b))
}

function namesIn (directory: Buffer): Buffer[] {
  return readdirSync(directory, 'buffer').sort((p, q) => Buffer.compare(p, q))
}

function below (directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name])
}

function typeOf (s: Stats): string {
  return s.isFile() ? 'file' : s.isDirectory() ? 'directory' : s.isSymbolicLink() ? 'link' : 'special file'
}

function octal (mode: number): string {
  return `0${mode.toString(8).padStart(3, '0')}`
}
