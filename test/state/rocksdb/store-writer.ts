import { rocksdbClassicEngine } from '../../../src/state/rocksdb/classic-engine.js'
import { rocksdbNativeEngine } from '../../../src/state/rocksdb/native-engine.js'

// A process of its own, to be killed: writes batch after batch and prints the number of each one that was acknowledged.
// Batch n sets `counter` and the keys `row-0` to `row-19` to n, and removes the `old-` keys of batch n - 1.
const [name, directory] = process.argv.slice(2) as [string, string]
const engine = [rocksdbNativeEngine(), rocksdbClassicEngine()].find(candidate => candidate.name === name)
if (!engine) throw new Error(`no engine ${name}`)
const store = await engine.open(directory)
const [last] = await store.getMany([Buffer.from('counter')])
for (let n = Number(last ?? 0) + 1; ; n++) {
  const value = Buffer.from(`${n}`)
  const rows = Array.from({ length: 20 }, (_, i) => ({ type: 'put' as const, key: Buffer.from(`row-${i}`), value }))
  await store.write([
    { type: 'deleteRange', from: Buffer.from('old-'), to: Buffer.from('old.') },
    { type: 'put', key: Buffer.from('counter'), value },
    ...rows,
    { type: 'put', key: Buffer.from(`old-${n}`), value },
  ])
  process.stdout.write(`${n}\n`)
}
