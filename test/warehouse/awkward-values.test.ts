import { expect, vi } from 'vitest'
import { memoryWarehouse } from '../../src/warehouse/memory/memory-warehouse.js'
import { pgliteWarehouse } from '../../src/warehouse/pglite/pglite-warehouse.js'
import { postgresWarehouse } from '../../src/warehouse/postgres/postgres-warehouse.js'
import { postgresAvailable, startPostgres } from '../services/postgres.js'
import { awkwardValues } from './awkward-values.js'
import { AWS_KEYS, startRedshift } from './redshift/redshift-service.js'

awkwardValues('memory', async () => {
  const warehouse = memoryWarehouse()
  return { warehouse, stop: () => warehouse.close() }
})

awkwardValues('PGlite', async () => {
  const warehouse = pgliteWarehouse({ memory: true })
  return { warehouse, stop: () => warehouse.close() }
})

if (postgresAvailable() === undefined) {
  awkwardValues(
    'PostgreSQL',
    async () => {
      const server = await startPostgres()
      const warehouse = postgresWarehouse({ url: server.url })
      return {
        warehouse,
        async stop() {
          await warehouse.close()
          await server.stop()
        },
      }
    },
    { large: 2_100 },
  )

  awkwardValues(
    'Redshift',
    async () => {
      for (const [name, value] of Object.entries(AWS_KEYS)) vi.stubEnv(name, value)
      const service = await startRedshift()
      return {
        warehouse: service.connect(),
        async stop() {
          vi.unstubAllEnvs()
          await service.stop()
          // Bulk loads went through S3.
          const puts = service.s3.requests.filter(({ operation }) => operation === 'PutObject')
          expect(puts.length).toBeGreaterThan(10)
        },
      }
    },
    // Redshift's names have up to 127 bytes, those of the shim's PostgreSQL 63.
    { large: 250, namesWithout: /^c{64,127}$/ },
  )
}
