import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pgliteWarehouse } from '../../../src/warehouse/pglite/pglite-warehouse.js'
import { allRows, flushOf, identityOf, NOW, questTable, warehouseContract } from '../warehouse-contract.js'

warehouseContract('PGlite', async () => {
  const warehouse = pgliteWarehouse({ memory: true })
  await warehouse.prepare(questTable('started'))
  return { connect: () => warehouse, stop: () => warehouse.close() }
})

describe('pgliteWarehouse', () => {
  it('keeps rows and offsets in its directory, which one warehouse at a time uses', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-pglite-'))
    const table = questTable('game.quests')
    const row = ['a', new Date(NOW), 1, null]
    const first = pgliteWarehouse({ directory })
    await first.prepare(table)
    await (await first.openSink(identityOf(table))).flush(flushOf(7, [row]))
    const second = pgliteWarehouse({ directory })
    await expect(second.prepare(table)).rejects.toMatchObject({
      code: 'WAREHOUSE',
      message: expect.stringContaining(directory),
    })
    await first.close()
    // The refusal was not for ever.
    await second.prepare(table)
    expect(await allRows(second, table)).toEqual([row])
    expect((await second.openSink(identityOf(table))).nextOffset).toBe(7)
    await second.close()
    await second.close()
    await rm(directory, { recursive: true })
  }, 60_000)

  it('does nothing before its first use, and refuses use after close', async () => {
    const warehouse = pgliteWarehouse({ memory: true })
    expect(warehouse.name).toBe('PGlite in memory')
    await warehouse.close()
    await expect(warehouse.prepare(questTable('quests'))).rejects.toMatchObject({
      code: 'WAREHOUSE',
      message: expect.stringContaining('after it was closed'),
    })
  })
})
