import { postgresWarehouse } from '../../../src/warehouse/postgres/postgres-warehouse.js'
import { startPostgres } from '../../services/postgres.js'
import { warehouseContract } from '../warehouse-contract.js'

warehouseContract('PostgreSQL', async () => {
  const server = await startPostgres()
  const warehouse = postgresWarehouse({ url: server.url })
  return {
    connect: () => warehouse,
    async stop() {
      await warehouse.close()
      await server.stop()
    },
  }
})
