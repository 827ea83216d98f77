/**
 * Shapes: each says what one field may hold and carries it between memory and the CBOR data model, both ways. A shape refuses everything that is
 * not exactly its own: unknown keys, missing keys, wrong types, out-of-range integers, unsorted sets. Source: protocols/substrate.md S-4.
 */
import { compareUtf8, fromHex, toHex, utf8 } from './bytes.js'
import { MalformedError } from './errors.js'
import { type Hash, NONE, type PublicKey, type Reference, REFERENCE_LENGTH, referenceFromBytes } from './reference.js'

export interface Shape<T> {
  /** To the CBOR data model. Values built by our own code are checked too: writing a wrong object is a bug that must not leave the process. */
  encode: (value: T, at: string) => unknown
  /** From the CBOR data model. Throws `MalformedError` naming the place `at`. */
  decode: (item: unknown, at: string) => T
}

export type TypeOf<S> = S extends Shape<infer T> ? T : never

function wrong (at: string, expected: string): never {
  throw new MalformedError(`${at}: expected ${expected}`)
}

/** Same rule in both directions for values that need no translation. */
function plain<T> (check: (x: unknown) => x is T, expected: string): Shape<T> {
  const pass = (x: unknown, at: string): T => check(x) ? x : wrong(at, expected)
  return { encode: pass, decode: pass }
}

export function uint (max = Number.MAX_SAFE_INTEGER, min = 0): Shape<number> {
  return plain((x): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= min && x <= max && !Object.is(x, -0), `an integer from ${min} to ${max}`)
}

export function literal<const V extends string | number | boolean> (value: V): Shape<V> {
  return plain((x): x is V => x === value, JSON.stringify(value))
}

export function oneOf<const V extends string | number> (...values: V[]): Shape<V> {
  return plain((x): x is V => (values as unknown[]).includes(x), values.map((v) => JSON.stringify(v)).join(' or '))
}

export const bool: Shape<boolean> = plain((x): x is boolean => typeof x === 'boolean', 'true or false')

/** Text of at most `maxBytes` UTF-8 bytes, without lone surrogates. */
export function text (maxBytes: number, minBytes = 0): Shape<string> {
  return plain((x): x is string => {
    if (typeof x !== 'string' || x.length > maxBytes || !x.isWellFormed()) return false
    const n = utf8(x).length
    return n >= minBytes && n <= maxBytes
  }, `text of ${minBytes} to ${maxBytes} bytes`)
}

/** A byte string kept as bytes. */
export function bytes (max: number, min = 0): Shape<Uint8Array> {
  return plain((x): x is Uint8Array => x instanceof Uint8Array && x.length >= min && x.length <= max, min === max ? `${max} bytes` : `${min} to ${max} bytes`)
}

/** A byte string of exactly `length` bytes, kept as lower-case hex. */
export function hex<T extends string = string> (length: number): Shape<T> {
  return {
    encode: (v, at) => typeof v === 'string' && v.length === 2 * length ? fromHex(v) : wrong(at, `${length} bytes as hex`),
    decode: (x, at) => x instanceof Uint8Array && x.length === length ? toHex(x) as T : wrong(at, `${length} bytes`)
  }
}

export const hash: Shape<Hash> = hex<Hash>(32)
export const publicKey: Shape<PublicKey> = hex<PublicKey>(32)

/** A Reference; the zero Reference is refused. */
export const ref: Shape<Reference> = reference(false)
/** A Reference or NONE. */
export const refOrNone: Shape<Reference> = reference(true)

function reference (none: boolean): Shape<Reference> {
  const pass = (r: Reference, at: string): Reference => r === NONE && !none ? wrong(at, 'a reference other than zero') : r
  return {
    encode: (v, at) => typeof v === 'string' && v.length === 2 * REFERENCE_LENGTH ? fromHex(pass(v, at)) : wrong(at, 'a reference'),
    decode: (x, at) => x instanceof Uint8Array && x.length === REFERENCE_LENGTH ? pass(referenceFromBytes(x), at) : wrong(at, 'a reference of 34 bytes')
  }
}

export interface ListRule<T> {
  min?: number
  max: number
  /** strictly ascending by this key; hex text and plain text both compare as their bytes do */
  ascending?: (value: T) => string
}

export function list<T> (item: Shape<T>, rule: ListRule<T>): Shape<T[]> {
  const min = rule.min ?? 0
  const check = (values: T[], at: string): T[] => {
    const key = rule.ascending
    if (key !== undefined) {
      for (let i = 1; i < values.length; i++) {
        if (compareUtf8(key(values[i - 1] as T), key(values[i] as T)) >= 0) wrong(`${at}[${i}]`, 'strictly ascending order')
      }
    }
    return values
  }
  const size = (n: number, at: string): void => {
    if (n < min || n > rule.max) wrong(at, `${min} to ${rule.max} items, not ${n}`)
  }
  return {
    encode (values, at) {
      size(values.length, at)
      return check(values, at).map((v, i) => item.encode(v, `${at}[${i}]`))
    },
    decode (x, at) {
      if (!Array.isArray(x)) wrong(at, 'a list')
      size(x.length, at)
      return check(x.map((v, i) => item.decode(v, `${at}[${i}]`)), at)
    }
  }
}

type Fields = Record<string, Shape<never>>
type StructOf<F> = { -readonly [K in keyof F]: TypeOf<F[K]> }

/** A map with exactly these keys. */
export function struct<F extends { [K in keyof F]: Shape<F[K] extends Shape<infer T> ? T : never> }> (fields: F): Shape<StructOf<F>> {
  const names = Object.keys(fields)
  const shapes = names.map((n) => (fields as unknown as Fields)[n] as unknown as Shape<unknown>)
  return {
    encode (value, at) {
      const out: Record<string, unknown> = {}
      const source = value as Record<string, unknown>
      if (Object.keys(source).length !== names.length) wrong(at, `exactly the keys ${names.join(', ')}`)
      names.forEach((n, i) => { out[n] = (shapes[i] as Shape<unknown>).encode(source[n], `${at}.${n}`) })
      return out
    },
    decode (x, at) {
      // The decoder makes plain objects only; own keys are compared by name and number, so a key like __proto__ can't slip in.
      if (typeof x !== 'object' || x === null || Array.isArray(x) || x instanceof Uint8Array) wrong(at, 'a map')
      const source = x as Record<string, unknown>
      if (Object.keys(source).length !== names.length) wrong(at, `exactly the keys ${names.join(', ')}`)
      const out: Record<string, unknown> = {}
      names.forEach((n, i) => {
        if (!Object.hasOwn(source, n)) wrong(at, `the key ${n}`)
        out[n] = (shapes[i] as Shape<unknown>).decode(source[n], `${at}.${n}`)
      })
      return out as StructOf<F>
    }
  }
}

/** A list with one shape per position. */
export function tuple<T extends unknown[]> (...items: { [K in keyof T]: Shape<T[K]> }): Shape<T> {
  const shapes = items as unknown as Array<Shape<unknown>>
  return {
    encode: (value, at) => value.length === shapes.length ? value.map((v, i) => (shapes[i] as Shape<unknown>).encode(v, `${at}[${i}]`)) : wrong(at, `${shapes.length} items`),
    decode (x, at) {
      if (!Array.isArray(x) || x.length !== shapes.length) wrong(at, `${shapes.length} items`)
      return x.map((v, i) => (shapes[i] as Shape<unknown>).decode(v, `${at}[${i}]`)) as T
    }
  }
}

/** One of several shapes, told apart by `pick` (on the CBOR item) and `pickValue` (on the memory form). */
export function union<T> (pick: (item: unknown) => unknown, pickValue: (value: T) => unknown, cases: Array<[unknown, Shape<never>]>): Shape<T> {
  const table = new Map(cases as unknown as Array<[unknown, Shape<unknown>]>)
  const names = cases.map(([k]) => JSON.stringify(k)).join(' or ')
  return {
    encode: (value, at) => (table.get(pickValue(value)) ?? wrong(at, `kind ${names}`)).encode(value, at),
    decode: (item, at) => (table.get(pick(item)) ?? wrong(at, `kind ${names}`)).decode(item, at) as T
  }
}

/** A shape carried through a pair of functions, e.g. to give tuple positions names. */
export function mapped<A, B> (inner: Shape<A>, to: (a: A, at: string) => B, from: (b: B) => A): Shape<B> {
  return { encode: (b, at) => inner.encode(from(b), at), decode: (x, at) => to(inner.decode(x, at), at) }
}

/** A shape with one more check after decoding and before encoding; `check` returns what was expected, or undefined when all is well. */
export function checked<T> (inner: Shape<T>, check: (value: T) => string | undefined): Shape<T> {
  const run = (v: T, at: string): T => {
    const bad = check(v)
    return bad === undefined ? v : wrong(at, bad)
  }
  return { encode: (v, at) => inner.encode(run(v, at), at), decode: (x, at) => run(inner.decode(x, at), at) }
}

