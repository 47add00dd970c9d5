import { memoryWarehouse } from '../../../src/warehouse/memory/memory-warehouse.js'
import { warehouseContract } from '../warehouse-contract.js'

warehouseContract('memory', async () => {
  const warehouse = memoryWarehouse()
  return { connect: () => warehouse, stop: () => warehouse.close() }
})
