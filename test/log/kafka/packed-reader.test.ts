import { createRequire } from 'node:module'
import { describe, expect, inject, it } from 'vitest'
import { packedReader } from '../../../src/log/kafka/packed-reader.js'

const kafka = inject('kafka') ?? ''

// Where Kafka runs, a compiler built node-rdkafka, and so the packed reader: its contract is that of the log.
describe.skipIf(kafka === '' || process.platform !== 'linux')('the packed reader', () => {
  it('is built, for the version of node-rdkafka that is installed', () => {
    const reasons: string[] = []
    expect(packedReader(reason => reasons.push(reason))).toBeTypeOf('function')
    expect(reasons).toEqual([])
  })

  it('refuses what is no connected consumer', () => {
    const require = createRequire(import.meta.url)
    const { take } = require('../../../native/build/Release/packed_reader.node')
    expect(() => take({}, 1, 1)).toThrow('needs the native object of a consumer')
    const { KafkaConsumer } = require('node-rdkafka')
    const { _client } = new KafkaConsumer({ 'group.id': 'never', 'metadata.broker.list': kafka }, {})
    expect(() => take(_client, 1, 1)).toThrow('needs a connected consumer')
  })
})
