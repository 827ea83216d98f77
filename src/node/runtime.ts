/** The engine on this machine: LevelDB and pack files, markers in memory file systems, the operating system's entropy. */
import { randomBytes } from 'node:crypto'
import { Engine, type EnginePorts } from '../federation/engine.js'
import { type DomainRecord, loadRecords } from '../federation/ledger.js'
import type { ReplicaOptions } from '../federation/replica.js'
import type { Reference } from '../substrate/reference.js'
import { mayContinueLane, writeMarker } from './marker.js'
import { installNativeCrypto } from './native-crypto.js'
import { openStore, type Store } from './store/open-store.js'

export const AGENT = 'diad/0.1.0'

export class Runtime extends Engine {
  private constructor (readonly store: Store, ports: EnginePorts, records: Map<Reference, DomainRecord>, options: Partial<ReplicaOptions>) {
    super(ports, records, { agent: AGENT, ...options })
  }

  static async open (folder: string, create: boolean, options: Partial<ReplicaOptions> = {}): Promise<Runtime> {
    installNativeCrypto()
    const store = await openStore(folder, { create })
    try {
      const markers: EnginePorts['markers'] = {
        mayContinue: (lane, head) => mayContinueLane(store.folder, lane, head),
        write: (lane, head) => { writeMarker(store.folder, lane, head) }
      }
      const { kv, blocks, audience } = store
      const random = (bytes: number): string => randomBytes(bytes).toString('hex')
      return new Runtime(store, { kv, blocks, audience, markers, random }, await loadRecords(kv), options)
    } catch (err) {
      await store.close()
      throw err
    }
  }

  async close (): Promise<void> {
    await this.settled().catch(() => undefined)
    await this.upkeep.idle()
    await this.store.close()
  }
}
