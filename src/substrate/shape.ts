/**
 * Shapes: each says what one field may hold and carries it between memory and CBOR, both ways. A shape refuses everything that is not exactly its own:
 * unknown keys, missing keys, wrong types, out-of-range integers, unsorted sets. Source: protocols/substrate.md S-4.
 */
import { compareUtf8, toHex, utf8Length } from './bytes.js'
import { CborWriter } from './cbor.js'
import { MalformedError } from './errors.js'
import { oneCopy } from './recall.js'
import { type Hash, NONE, type PublicKey, type Reference, REFERENCE_LENGTH, referenceFromBytes } from './reference.js'

export interface Shape<T> {
  /** Writes `value`. Values built by our own code are checked too: writing a wrong object is a bug that must not leave the process. */
  encode: (value: T, out: CborWriter) => void
  /** From what `readCbor` gives. Throws `MalformedError`. */
  decode: (item: unknown) => T
}

export type TypeOf<S> = S extends Shape<infer T> ? T : never

/** Something doesn't fit; each container on the way out puts in front of it where that was, so that nothing is spent on places while all is well. */
class Misfit extends MalformedError {
  constructor (readonly at: string, readonly fault: string) {
    super(at === '' ? fault : `${at}: ${fault}`)
  }
}

/** `err` as it looks from a container that holds it at `step` (`.key`, `[3]`, or the object's name). */
export function inside (step: string, err: unknown): unknown {
  if (err instanceof Misfit) return new Misfit(step + err.at, err.fault)
  return err instanceof MalformedError ? new Misfit(step, err.message) : err
}

function wrong (expected: string, at = ''): never {
  throw new Misfit(at, `expected ${expected}`)
}

/** Same rule in both directions for values that need no translation. */
function plain<T> (check: (x: unknown) => x is T, write: (value: T, out: CborWriter) => void, expected: string): Shape<T> {
  return {
    encode: (x, out) => write(check(x) ? x : wrong(expected), out),
    decode: (x) => check(x) ? x : wrong(expected)
  }
}

const writeUint = (value: number, out: CborWriter): void => out.uint(value)
const writeText = (value: string, out: CborWriter): void => out.text(value)

function writeScalar (value: string | number | boolean, out: CborWriter): void {
  switch (typeof value) {
    case 'string': out.text(value); break
    case 'number': out.uint(value); break
    default: out.bool(value)
  }
}

export function uint (max = Number.MAX_SAFE_INTEGER, min = 0): Shape<number> {
  return plain((x): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= min && x <= max && !Object.is(x, -0), writeUint, `an integer from ${min} to ${max}`)
}

export function literal<const V extends string | number | boolean> (value: V): Shape<V> {
  return plain((x): x is V => x === value, writeScalar, JSON.stringify(value))
}

export function oneOf<const V extends string | number> (...values: V[]): Shape<V> {
  return plain((x): x is V => (values as unknown[]).includes(x), writeScalar, values.map((v) => JSON.stringify(v)).join(' or '))
}

export const bool: Shape<boolean> = plain((x): x is boolean => typeof x === 'boolean', writeScalar, 'true or false')

/** Text of at most `maxBytes` UTF-8 bytes, without lone surrogates. */
export function text (maxBytes: number, minBytes = 0): Shape<string> {
  return plain((x): x is string => {
    if (typeof x !== 'string' || x.length > maxBytes || !x.isWellFormed()) return false
    const n = utf8Length(x)
    return n >= minBytes && n <= maxBytes
  }, writeText, `text of ${minBytes} to ${maxBytes} bytes`)
}

/** A byte string kept as bytes. */
export function bytes (max: number, min = 0): Shape<Uint8Array> {
  const expected = min === max ? `${max} bytes` : `${min} to ${max} bytes`
  const check = (x: unknown): Uint8Array => x instanceof Uint8Array && x.length >= min && x.length <= max ? x : wrong(expected)
  return {
    encode: (v, out) => out.bytes(check(v)),
    // A copy, and not by slice(): a Buffer's would share its memory.
    decode: (x) => new Uint8Array(check(x))
  }
}

/** A byte string of exactly `length` bytes, kept as lower-case hex. */
export function hex<T extends string = string> (length: number): Shape<T> {
  return {
    encode: (v, out) => typeof v === 'string' && v.length === 2 * length ? out.hex(v) : wrong(`${length} bytes as hex`),
    decode: (x) => x instanceof Uint8Array && x.length === length ? oneCopy(toHex(x) as T) : wrong(`${length} bytes`)
  }
}

export const hash: Shape<Hash> = hex<Hash>(32)
export const publicKey: Shape<PublicKey> = hex<PublicKey>(32)

/** A Reference; the zero Reference is refused. */
export const ref: Shape<Reference> = reference(false)
/** A Reference or NONE. */
export const refOrNone: Shape<Reference> = reference(true)

function reference (none: boolean): Shape<Reference> {
  const pass = (r: Reference): Reference => r === NONE && !none ? wrong('a reference other than zero') : r
  return {
    encode: (v, out) => typeof v === 'string' && v.length === 2 * REFERENCE_LENGTH ? out.hex(pass(v)) : wrong('a reference'),
    decode: (x) => x instanceof Uint8Array && x.length === REFERENCE_LENGTH ? pass(referenceFromBytes(x)) : wrong('a reference of 34 bytes')
  }
}

export interface ListRule<T> {
  min?: number
  max: number
  /** strictly ascending by this key; hex text and plain text both compare as their bytes do */
  ascending?: (value: T) => string
}

/** Calls `each` for 0 to n-1; a fault names the index. */
function eachItem (n: number, each: (i: number) => void): void {
  let i = 0
  try {
    for (; i < n; i++) each(i)
  } catch (err) {
    throw inside(`[${i}]`, err)
  }
}

export function list<T> (item: Shape<T>, rule: ListRule<T>): Shape<T[]> {
  const min = rule.min ?? 0
  const check = (values: T[]): T[] => {
    const key = rule.ascending
    if (key !== undefined) {
      for (let i = 1; i < values.length; i++) {
        if (compareUtf8(key(values[i - 1] as T), key(values[i] as T)) >= 0) wrong('strictly ascending order', `[${i}]`)
      }
    }
    return values
  }
  const size = (n: number): void => {
    if (n < min || n > rule.max) wrong(`${min} to ${rule.max} items, not ${n}`)
  }
  return {
    encode (values, out) {
      size(values.length)
      check(values)
      out.list(values.length)
      eachItem(values.length, (i) => { item.encode(values[i] as T, out) })
    },
    decode (x) {
      if (!Array.isArray(x)) wrong('a list')
      size(x.length)
      const values: T[] = []
      eachItem(x.length, (i) => { values.push(item.decode(x[i])) })
      return check(values)
    }
  }
}

type Fields = Record<string, Shape<never>>
type StructOf<F> = { -readonly [K in keyof F]: TypeOf<F[K]> }

/** A map with exactly these keys. */
export function struct<F extends { [K in keyof F]: Shape<F[K] extends Shape<infer T> ? T : never> }> (fields: F): Shape<StructOf<F>> {
  const names = Object.keys(fields)
  const members = names.map((name) => ({ name, key: encodedKey(name), shape: (fields as unknown as Fields)[name] as unknown as Shape<unknown> }))
  // The order of S-4: the shorter key first, and bytewise among equals.
  const written = [...members].sort((a, b) => a.name.length - b.name.length || compareUtf8(a.name, b.name))
  const exact = (source: object): void => {
    if (Object.keys(source).length !== names.length) wrong(`exactly the keys ${names.join(', ')}`)
  }
  return {
    encode (value, out) {
      const source = value as Record<string, unknown>
      exact(source)
      out.map(names.length)
      for (const { name, key, shape } of written) {
        out.raw(key)
        try {
          shape.encode(source[name], out)
        } catch (err) {
          throw inside(`.${name}`, err)
        }
      }
    },
    decode (x) {
      // The reader makes plain objects only; own keys are compared by name and number, so a key like __proto__ can't slip in.
      if (typeof x !== 'object' || x === null || Array.isArray(x) || x instanceof Uint8Array) wrong('a map')
      const source = x as Record<string, unknown>
      exact(source)
      const out: Record<string, unknown> = {}
      for (const { name, shape } of members) {
        if (!Object.hasOwn(source, name)) wrong(`the key ${name}`)
        try {
          out[name] = shape.decode(source[name])
        } catch (err) {
          throw inside(`.${name}`, err)
        }
      }
      return out as StructOf<F>
    }
  }
}

function encodedKey (name: string): Uint8Array {
  const out = new CborWriter()
  out.text(name)
  return out.finish()
}

/** A list with one shape per position. */
export function tuple<T extends unknown[]> (...items: { [K in keyof T]: Shape<T[K]> }): Shape<T> {
  const shapes = items as unknown as Array<Shape<unknown>>
  return {
    encode (value, out) {
      if (value.length !== shapes.length) wrong(`${shapes.length} items`)
      out.list(shapes.length)
      eachItem(shapes.length, (i) => { (shapes[i] as Shape<unknown>).encode(value[i], out) })
    },
    decode (x) {
      if (!Array.isArray(x) || x.length !== shapes.length) wrong(`${shapes.length} items`)
      const values: unknown[] = []
      eachItem(shapes.length, (i) => { values.push((shapes[i] as Shape<unknown>).decode(x[i])) })
      return values as T
    }
  }
}

/** One of several shapes, told apart by `pick` (on the CBOR item) and `pickValue` (on the memory form). */
export function union<T> (pick: (item: unknown) => unknown, pickValue: (value: T) => unknown, cases: Array<[unknown, Shape<never>]>): Shape<T> {
  const table = new Map(cases as unknown as Array<[unknown, Shape<unknown>]>)
  const names = cases.map(([k]) => JSON.stringify(k)).join(' or ')
  return {
    encode: (value, out) => (table.get(pickValue(value)) ?? wrong(`kind ${names}`)).encode(value, out),
    decode: (item) => (table.get(pick(item)) ?? wrong(`kind ${names}`)).decode(item) as T
  }
}

/** A shape carried through a pair of functions, e.g. to give tuple positions names. */
export function mapped<A, B> (inner: Shape<A>, to: (a: A) => B, from: (b: B) => A): Shape<B> {
  return { encode: (b, out) => inner.encode(from(b), out), decode: (x) => to(inner.decode(x)) }
}

/** A shape with one more check after decoding and before encoding; `check` returns what was expected, or undefined when all is well. */
export function checked<T> (inner: Shape<T>, check: (value: T) => string | undefined): Shape<T> {
  const run = (v: T): T => {
    const bad = check(v)
    return bad === undefined ? v : wrong(bad)
  }
  return { encode: (v, out) => inner.encode(run(v), out), decode: (x) => run(inner.decode(x)) }
}
