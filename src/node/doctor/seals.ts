/** The domain root and its seals: drawn from the manifest in force, untouched since they were frozen, and still held. */
import { existsSync } from 'node:fs'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import type { Home } from '../home/home.js'
import { readPrincipalNames } from '../home/principal-names.js'
import { isPinned, readRecords, type SealRecord } from '../pins/records.js'
import { driverFor, sealsFolder } from '../pins/select.js'
import { differences } from '../pins/sums.js'
import { againstManifest } from './domain-root.js'
import { bad, type Finding, ok, trouble, warn } from './finding.js'

export function checkProjection (home: Home, k: DomainKnowledge): Finding[] {
  const { tip } = k.authority()
  const where = home.paths.domain
  if (tip === undefined) return []
  const todo = 'nothing reads it back; the next `diad domain seal` or change of authority draws it anew'
  if (!existsSync(where)) return [warn('the readable domain root is missing', where, todo)]
  const faults = againstManifest(where, k, tip, { seals: readRecords(sealsFolder(home.paths)).records, names: readPrincipalNames(home) })
  return faults.length === 0 ? [ok('the domain root says what the manifest in force says', where)] : faults.map((f) => warn(f, where, todo))
}

export async function checkSeals (home: Home, k: DomainKnowledge): Promise<Finding[]> {
  const { records, damaged } = readRecords(sealsFolder(home.paths))
  const out = damaged.map((path) => bad('the record of a seal can\'t be read', path, 'restore it from a backup; what it froze is still there'))
  for (const record of records) {
    try {
      out.push(...await checkSeal(home, k, record))
    } catch (err) {
      out.push(trouble(err, record.pin.at))
    }
  }
  return out
}

async function checkSeal (home: Home, k: DomainKnowledge, record: SealRecord): Promise<Finding[]> {
  const { name, pin } = record
  if (!isPinned(pin)) return [warn(`the seal ${name} was interrupted before it was complete`, pin.at, `\`diad domain unseal ${name}\`, then seal again`)]
  const driver = await driverFor(home.paths, record.domain, pin)
  const faults = await driver.check(pin)
  const root = faults.length === 0 ? driver.readable(pin) : undefined
  if (root !== undefined) {
    faults.push(...differences(root, new Map(Object.entries(record.files))))
    if (faults.length === 0) faults.push(...againstManifest(root, k, record.manifest, { seals: [record] }))
  }
  if (faults.length > 0) return faults.map((f) => bad(`the seal ${name} was tampered with: ${f}`, pin.at, `don't trust it. The anchors of manifest ${record.manifestVersion} stand; seal anew, and \`diad domain unseal ${name}\` removes this one`))
  const orphaned = !k.authority().position.has(record.manifest)
  if (orphaned) return [warn(`the seal ${name} rests on a manifest that is no longer on the accepted chain`, pin.at, 'seal anew')]
  return [ok(`the seal ${name} is untouched${root === undefined ? ' (its files can\'t be looked into from here)' : ''}`, pin.at)]
}
