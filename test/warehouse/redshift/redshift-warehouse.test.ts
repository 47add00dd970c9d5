import { afterAll, beforeAll, vi } from 'vitest'
import { postgresAvailable } from '../../services/postgres.js'
import { warehouseContract } from '../warehouse-contract.js'
import { AWS_KEYS, startRedshift } from './redshift-service.js'

const unavailable = postgresAvailable()

beforeAll(() => {
  for (const [name, value] of Object.entries(AWS_KEYS)) vi.stubEnv(name, value)
})
afterAll(() => vi.unstubAllEnvs())

if (!unavailable) {
  warehouseContract('Redshift', async () => {
    const service = await startRedshift()
    // One for a reader of keys, one for the flushes meanwhile.
    const warehouse = service.connect({ maxSessions: 2 })
    return { connect: () => warehouse, stop: () => service.stop() }
  })
}
