import { describe, inject } from 'vitest'
import { kafkaLog } from '../../../src/log/kafka/kafka-log.js'
import { logContract } from '../log-contract.js'

const brokers = inject('kafka')

describe.skipIf(brokers === undefined)('Kafka', () => {
  logContract('Kafka', async () => ({
    open: () => kafkaLog({ brokers: brokers as string }),
    close: async () => undefined,
  }))
})
