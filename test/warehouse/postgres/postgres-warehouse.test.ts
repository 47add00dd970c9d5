import pg from 'pg'
import { postgresWarehouse } from '../../../src/warehouse/postgres/postgres-warehouse.js'
import { startPostgres } from '../../services/postgres.js'
import { warehouseContract } from '../warehouse-contract.js'

warehouseContract('PostgreSQL', async () => {
  const server = await startPostgres()
  const admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  // Dates read and written as 31/12/2026: nothing may depend on it.
  await admin.query(`ALTER DATABASE postgres SET datestyle = 'SQL, DMY'`)
  await admin.end()
  const warehouse = postgresWarehouse({ url: server.url })
  return {
    connect: () => warehouse,
    async stop() {
      await warehouse.close()
      await server.stop()
    },
  }
})
