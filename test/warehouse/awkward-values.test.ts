import { memoryWarehouse } from '../../src/warehouse/memory/memory-warehouse.js'
import { pgliteWarehouse } from '../../src/warehouse/pglite/pglite-warehouse.js'
import { postgresWarehouse } from '../../src/warehouse/postgres/postgres-warehouse.js'
import { postgresAvailable, startPostgres } from '../services/postgres.js'
import { awkwardValues } from './awkward-values.js'

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
    2_100,
  )
}
