import { describe, inject } from 'vitest'
import { kafkaLog } from '../../../src/log/kafka/kafka-log.js'
import { logContract } from '../log-contract.js'

const brokers = inject('kafka') ?? ''

describe.skipIf(brokers === '')('Kafka', () => {
  logContract('Kafka', async () => ({ open: () => kafkaLog({ brokers }), close: async () => undefined }))

  logContract('Kafka, classic groups', async () => ({
    open: () => kafkaLog({ brokers, groupProtocol: 'classic' }),
    close: async () => undefined,
  }))

  logContract('Kafka, without the packed reader', async () => ({
    open: () => kafkaLog({ brokers, packed: false }),
    close: async () => undefined,
  }))
})
