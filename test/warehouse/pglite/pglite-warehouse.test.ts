import { pgliteWarehouse } from '../../../src/warehouse/pglite/pglite-warehouse.js'
import { warehouseContract } from '../warehouse-contract.js'

warehouseContract('PGlite', async () => {
  const warehouse = pgliteWarehouse({ memory: true })
  return { connect: () => warehouse, stop: () => warehouse.close() }
})
