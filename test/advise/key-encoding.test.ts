import { expect, test } from 'vitest'
import { positiveHash, repartitionHash } from '../../src/advise/key-encoding.js'
import { scalarFields } from '../../src/advise/sample.js'
import { partitionFor } from '../../src/model/murmur2.js'
import { KeyCodec } from '../../src/runtime/key-codec.js'
import { QUEST_SCHEMA, serde } from './quest-samples.js'

const fields = scalarFields(QUEST_SCHEMA)
const named = (...names: readonly string[]) => names.map(name => fields.find(field => field.name === name)!)

test.each([
  [['questType'], ['hunt']],
  [['eventType'], ['COMPLETED']],
  [['rewardGold'], [499]],
  [
    ['region', 'eventType'],
    ['eu-north', 'ABANDONED'],
  ],
])('the key by %j falls where a repartition puts it', (names, values) => {
  const columns = named(...names)
  const key = Object.fromEntries(names.map((name, i) => [name, values[i]]))
  const entry = new KeyCodec(columns, 'avro', serde).ofRecord(key)!
  for (const partitions of [8, 64]) {
    expect(repartitionHash(columns, serde)(values) % partitions).toBe(entry.partition(partitions))
  }
})

test('the key of a record falls where its producer put it', () => {
  const key = Buffer.from('u00000042')
  expect(positiveHash(key) % 8).toBe(partitionFor(key, 8))
})
