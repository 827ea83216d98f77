/** Checks a part of the file, and throws what is wrong with it with its place. */
import type { Pointer, Source } from './source.js'
import { check, type Names } from './vocabulary.js'

/** The converted data; `data` itself is changed, so it is a copy of the file's. Throws `bad-scenario`. */
export function checkAt (source: Source, schema: object, data: unknown, pointer: Pointer, label: string, names?: Names): unknown {
  const checked = check(schema, data, label, names)
  if (checked.fault === undefined) return checked.value
  const { fault } = checked
  throw source.fault(pointer + fault.pointer, fault.what, fault.expected, { key: fault.key })
}
