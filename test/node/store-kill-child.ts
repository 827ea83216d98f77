/** Publishes for ever into the store given as argument; a line on stdout is a promise that what it names is durable. Ended by SIGKILL. */
import { writeSync } from 'node:fs'
import { randomBytes, randomInt } from 'node:crypto'
import { openStore } from '../../src/node/store/open-store.js'
import { referenceOf } from '../../src/substrate/artifact.js'
import { utf8, writeU32 } from '../../src/substrate/bytes.js'

const [folder = ''] = process.argv.slice(2)
const store = await openStore(folder, { create: true, limits: { packBytes: 200_000, bufferBytes: 10_000, barrierBytes: 30_000, barrierEntries: 40 } })
const domain = referenceOf(undefined, utf8('the domain'))

for (let n = 0; ; n++) {
  const { generation, op } = store.audience.begin(domain)
  store.blocks.enqueue(op)
  const refs: string[] = []
  for (let i = randomInt(1, 30); i > 0; i--) {
    const ref = await store.blocks.put(n, new Uint8Array(randomBytes(randomInt(1, 3000))))
    const mark = store.audience.mark(domain, ref, generation)
    if (mark !== undefined) store.blocks.enqueue(mark)
    refs.push(ref)
  }
  const head = new Uint8Array(4)
  writeU32(head, 0, n)
  await store.blocks.commit([store.audience.commitOp(domain, generation), { type: 'put', key: utf8('head'), value: head }])
  writeSync(1, `${n} ${refs.join(' ')}\n`)
}
