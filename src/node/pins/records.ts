/**
 * Records of seals, `HOME/seals/NNNN.json`: which manifest anchors the lanes, what was frozen and where. Written before anything is frozen (`pin` without
 * identity) and again when it is, so that one that was interrupted can be found and taken away.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DiadError } from '../../substrate/errors.js'
import { isReference, type Reference } from '../../substrate/reference.js'
import { createFile, errorCode, replaceFile, syncDirectory } from '../home/atomic-file.js'
import { PIN_NAME, type Pin, type PlannedPin } from './driver.js'

const FORMAT = 'diad-seal'
const VERSION = 1

export interface SealRecord {
  /** file name without suffix: 1, 2, … */
  readonly number: number
  readonly name: string
  readonly domain: Reference
  /** the manifest that anchors */
  readonly manifest: Reference
  readonly manifestVersion: number
  /** digest of the exported view at that time */
  readonly view: string
  /** how many lanes it anchors */
  readonly lanes: number
  /** SHA-256 of each file of the domain root, by path */
  readonly files: Readonly<Record<string, string>>
  /** without `identity`: the seal was interrupted */
  readonly pin: PlannedPin | Pin
}

/** What stands in the folder: records, and files that should be records and can't be read. */
export interface Records { readonly records: readonly SealRecord[], readonly damaged: readonly string[], readonly next: number }

export function isPinned (pin: PlannedPin | Pin): pin is Pin {
  return 'identity' in pin
}

export function readRecords (folder: string): Records {
  const records: SealRecord[] = []
  const damaged: string[] = []
  let next = 1
  for (const name of namesIn(folder)) {
    const number = /^(\d{4,8})(?:\.json)?$/.exec(name)?.[1]
    if (number === undefined) continue
    next = Math.max(next, Number(number) + 1)
    if (!name.endsWith('.json')) continue
    const path = join(folder, name)
    try {
      records.push({ ...parse(JSON.parse(readFileSync(path, 'utf8'))), number: Number(number) })
    } catch {
      damaged.push(path)
    }
  }
  return { records: records.sort((a, b) => a.number - b.number), damaged, next }
}

function namesIn (folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return []
    throw err
  }
}

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x)

function parse (value: unknown): Omit<SealRecord, 'number'> {
  const good = isObject(value) && value['format'] === FORMAT && value['version'] === VERSION && typeof value['name'] === 'string' && PIN_NAME.test(value['name']) &&
    isRef(value['domain']) && isRef(value['manifest']) && Number.isSafeInteger(value['manifestVersion']) && Number.isSafeInteger(value['lanes']) && typeof value['view'] === 'string' &&
    isObject(value['files']) && Object.values(value['files']).every((d) => typeof d === 'string') && isPin(value['pin'])
  if (!good) throw new DiadError('seal-damaged', 'not the record of a seal')
  const { format: _f, version: _v, ...rest } = value
  return rest as unknown as Omit<SealRecord, 'number'>
}

const isRef = (x: unknown): boolean => typeof x === 'string' && isReference(x)

function isPin (x: unknown): boolean {
  return isObject(x) && (x['kind'] === 'zfs' || x['kind'] === 'copy') && ['at', 'tag', 'inside'].every((f) => typeof x[f] === 'string') && ['string', 'undefined'].includes(typeof x['identity'])
}

function textOf ({ number: _, ...record }: SealRecord): string {
  return JSON.stringify({ format: FORMAT, version: VERSION, ...record }, null, 2) + '\n'
}

const fileOf = (folder: string, number: number): string => join(folder, `${String(number).padStart(4, '0')}.json`)

/** Durable on return. Never over another record. */
export function createRecord (folder: string, record: SealRecord): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  createFile(fileOf(folder, record.number), textOf(record))
}

export function replaceRecord (folder: string, record: SealRecord): void {
  replaceFile(fileOf(folder, record.number), textOf(record))
}

export function removeRecord (folder: string, record: SealRecord): void {
  rmSync(fileOf(folder, record.number), { force: true })
  syncDirectory(folder)
}
