/**
 * What an earlier bundle holds that a new one lacks. The earlier one may be the only copy of somebody's work: a rescue's, or one of a time when this home
 * held more. Both files are read once, and their words are taken as they stand: a file that lies here only keeps itself from being replaced.
 */
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { manifestCodec } from '../../../authority/manifest.js'
import { SECTION, sectionOf } from '../../../federation/bundle-sections.js'
import { snapshotCodec } from '../../../publication/lane.js'
import { leafRangeCodec } from '../../../publication/leaf-range.js'
import { decodeArtifact } from '../../../substrate/artifact.js'
import { CarFault, CarReader } from '../../../substrate/car.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'
import type { Reference } from '../../../substrate/reference.js'
import { TAG } from '../../../substrate/type-tags.js'
import { showName } from '../../../publication/names.js'
import type { CommandIo } from '../../command.js'
import { bytesOf } from './file.js'

/** `from`: the first record that is in the file, `to`: the one behind the last that a head of it signs */
interface Told { from: number, to: number }

interface Outline {
  readonly lanes: ReadonlyMap<Reference, Told>
  /** number of the greatest manifest, -1 for none */
  readonly manifest: number
  /** those that were looked for and are there */
  readonly content: ReadonlySet<Reference>
  /** of records */
  readonly bodies: ReadonlySet<Reference>
}

/**
 * Throws DiadError `file-exists` when the bundle at `before` holds what the one at `after` lacks: a lane, later records of one, earlier records (`--since`),
 * a later manifest, or content of a name in `names` (`--prefix`, and what was lost here). `rest`: the new one was written with `--since`. Ranges of leaves
 * begin at round numbers, so it is told by the bodies; a full one may lack some that were erased meanwhile.
 */
export async function demandNothingLost (before: string, after: string, names: ReadonlyMap<Reference, string>, k: DomainKnowledge, rest: boolean, io: CommandIo): Promise<void> {
  const wanted = new Set(names.keys())
  const old = await outlineOf(before, wanted, io)
  const now = await outlineOf(after, wanted, io)
  const lost = lostOf(old, now, names, k) ?? (rest && [...old.bodies].some((ref) => !now.bodies.has(ref)) ? 'earlier records' : undefined)
  if (lost !== undefined) throw new DiadError('file-exists', `${before} is a bundle that holds ${lost}, which the new one lacks`, 'nothing was written; name another file, or import that one first')
}

function lostOf (old: Outline, now: Outline, names: ReadonlyMap<Reference, string>, k: DomainKnowledge): string | undefined {
  if (old.manifest > now.manifest) return `manifest ${old.manifest}`
  for (const [lane, had] of old.lanes) {
    const has = now.lanes.get(lane)
    if (endedHere(k, lane, had.to)) continue
    const called = `the lane ${lane.slice(0, 16)}…`
    if (has === undefined) return called
    if (has.to < had.to) return `${had.to} records of ${called}`
    if (has.from > had.from) return `the records ${had.from} to ${Math.min(has.from, had.to) - 1} of ${called}`
  }
  for (const ref of old.content) if (!now.content.has(ref)) return `the content of ${showName(names.get(ref) ?? ref)}`
  return undefined
}

/** K1: of a lane that was closed nothing more is exported. What its records were is held here, and was known when it was closed. */
function endedHere (k: DomainKnowledge, lane: Reference, size: number): boolean {
  const v = k.view().lanes.get(lane)
  return v !== undefined && v.limit < size && v.knowledge.branches.some((b) => b.log.size >= size)
}

/** Of a file that was cut off, what can be read of it. */
async function outlineOf (path: string, wanted: ReadonlySet<Reference>, io: CommandIo): Promise<Outline> {
  const lanes = new Map<Reference, Told>()
  const laneOf = new Map<Reference, Reference>()
  const content = new Set<Reference>()
  const bodies = new Set<Reference>()
  let manifest = -1
  const reader = new CarReader(bytesOf(path, io))
  try {
    await reader.header()
    for (let block = await reader.next(); block !== undefined; block = await reader.next()) {
      io.signal.throwIfAborted()
      if (wanted.has(block.ref)) content.add(block.ref)
      const artifact = decodeArtifact(block.bytes)
      switch (artifact.typeTag) {
        case TAG.manifest: manifest = Math.max(manifest, manifestCodec.from(artifact).version); break
        case TAG.lane: lanes.set(block.ref, { from: Infinity, to: 0 }); break
        case TAG.snapshot: {
          const { lane, log_size: size } = snapshotCodec.from(artifact)
          laneOf.set(block.ref, lane)
          const told = lanes.get(lane)
          if (told !== undefined) told.to = Math.max(told.to, size)
          break
        }
        case TAG.leafRange: {
          const { head, first } = leafRangeCodec.from(artifact)
          const told = lanes.get(laneOf.get(head) ?? head)
          if (told !== undefined) told.from = Math.min(told.from, first)
          break
        }
        default: if (sectionOf(artifact) === SECTION.bodies) bodies.add(block.ref)
      }
    }
  } catch (err) {
    if (!(err instanceof CarFault) && !(err instanceof MalformedError)) throw err
  } finally {
    await reader.close()
  }
  return { lanes, manifest, content, bodies }
}
