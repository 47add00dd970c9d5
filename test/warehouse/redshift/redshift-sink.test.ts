import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Row, TableSpec, Warehouse } from '../../../src/ports/warehouse.js'
import { postgresAvailable } from '../../services/postgres.js'
import { allRows, flushOf, identityOf, NOW, questTable } from '../warehouse-contract.js'
import { AWS_KEYS, type RedshiftService, startRedshift } from './redshift-service.js'

const row = (type: string, events: number): Row => [type, new Date(NOW), events, null]
const many = (count: number, events = 1) => Array.from({ length: count }, (_, i) => row(`quest ${i}`, events))

describe.skipIf(postgresAvailable() !== undefined)('a sink in Redshift', () => {
  let service: RedshiftService
  let warehouse: Warehouse
  let count = 0
  beforeAll(async () => {
    for (const [name, value] of Object.entries(AWS_KEYS)) vi.stubEnv(name, value)
    service = await startRedshift()
    warehouse = service.connect()
  })
  afterEach(() => service.shim.faults.clear())
  afterAll(async () => {
    await service?.stop()
    vi.unstubAllEnvs()
  })

  const opened = async (table: TableSpec = questTable(`sink_${++count}`)) => {
    await warehouse.prepare(table)
    return { table, sink: await warehouse.openSink(identityOf(table)) }
  }
  const statementsSince = (from: number) => service.shim.log.slice(from).map(({ sql }) => sql)
  const leftObjects = () => [...service.s3.bucket('load').keys()]

  it('locks the offsets first, inserts what is little, and merges from a stage', async () => {
    const { table, sink } = await opened()
    const from = service.shim.log.length
    await sink.flush(flushOf(1, [row('a', 1), row('b', 2)], [['c', new Date(NOW)]]))
    const begun = statementsSince(from).map(sql => sql.split(/\s+/).slice(0, 3).join(' '))
    expect(begun.slice(0, 3)).toEqual([
      'BEGIN',
      `LOCK TABLE "public"."millrace_offsets"`,
      'UPDATE "public"."millrace_offsets" SET',
    ])
    expect(begun).toContain(`MERGE INTO "public"."${table.name}"`)
    expect(begun.filter(sql => sql.startsWith('INSERT'))).toHaveLength(2)
    expect(begun.at(-1)).toBe('COMMIT')
    expect(begun).not.toContain('COPY')
    expect(leftObjects()).toEqual([])
    expect(await allRows(warehouse, table)).toEqual([row('a', 1), row('b', 2)])
  })

  it('loads what is much by COPY, and leaves no object behind', async () => {
    const { table, sink } = await opened()
    const puts = service.s3.requests.length
    const from = service.shim.log.length
    await sink.flush(flushOf(1, many(500)))
    await sink.flush(
      flushOf(
        2,
        many(300, 2),
        many(500)
          .slice(300)
          .map(each => each.slice(0, 2)),
      ),
    )
    expect(statementsSince(from).filter(sql => sql.startsWith('COPY'))).toHaveLength(3)
    const keys = service.s3.requests.slice(puts).filter(({ operation }) => operation === 'PutObject')
    expect(keys.length).toBe(6)
    expect(leftObjects()).toEqual([])
    expect(new Set(await allRows(warehouse, table))).toEqual(new Set(many(300, 2)))
  })

  it('runs a transaction again that met 1023, wherever it meets it', async () => {
    const { table, sink } = await opened()
    for (const [index, at] of [/^MERGE/, /^COMMIT/, /^COPY/, /^LOCK/].entries()) {
      const fault = service.shim.faults.inject({ kind: 'conflict', at, times: 2 })
      await sink.flush(flushOf(index + 1, many(250, index)))
      expect(fault.met).toBe(2)
      fault.end()
    }
    expect(new Set(await allRows(warehouse, table))).toEqual(new Set(many(250, 3)))
  })

  it('learns from the offset whether a lost COMMIT happened', async () => {
    const { table, sink } = await opened()
    const after = service.shim.faults.inject({ kind: 'commit-lost-after' })
    await sink.flush(flushOf(1, [row('a', 1)]))
    expect([after.met, sink.nextOffset]).toEqual([1, 1])
    const before = service.shim.faults.inject({ kind: 'commit-lost-before' })
    await expect(sink.flush(flushOf(2, [row('a', 2)]))).rejects.toMatchObject({ code: 'WAREHOUSE' })
    expect([before.met, sink.nextOffset]).toEqual([1, 1])
    await sink.flush(flushOf(2, [row('a', 2)]))
    expect(await allRows(warehouse, table)).toEqual([row('a', 2)])
  })

  it('writes nothing when a part of a load is missing, and the same flush again when it is there', async () => {
    const { table, sink } = await opened()
    const fault = service.s3.inject({ kind: 'lost', operation: 'PutObject', key: /csv\.gz$/ })
    await expect(sink.flush(flushOf(1, many(250)))).rejects.toMatchObject({ code: 'WAREHOUSE' })
    expect(fault.met).toBe(1)
    fault.end()
    expect(await allRows(warehouse, table)).toEqual([])
    await sink.flush(flushOf(1, many(250)))
    expect((await allRows(warehouse, table)).length).toBe(250)
    expect(leftObjects()).toEqual([])
  })

  it('is fenced by who opened it later, with small flushes and large ones', async () => {
    const { table, sink } = await opened()
    const second = await warehouse.openSink(identityOf(table))
    for (const rows of [1, 250]) {
      await expect(sink.flush(flushOf(rows, many(rows, 9)))).rejects.toMatchObject({ code: 'WAREHOUSE_FENCED' })
    }
    await second.flush(flushOf(1, [row('a', 1)]))
    expect(await allRows(warehouse, table)).toEqual([row('a', 1)])
    expect(leftObjects()).toEqual([])
  })

  it('updates where the table has a column more, which REMOVE DUPLICATES does not take', async () => {
    const { table, sink } = await opened()
    const wider = { ...table, columns: [...table.columns, { name: 'note', type: 'text', nullable: true } as const] }
    await warehouse.prepare(wider)
    const from = service.shim.log.length
    await sink.flush(flushOf(1, [row('a', 1), row('b', 1)]))
    await sink.flush(flushOf(2, [row('a', 2)]))
    expect(statementsSince(from).filter(sql => sql.includes('WHEN MATCHED'))).toHaveLength(2)
    const whole = await warehouse.openSink(identityOf(wider))
    await whole.flush(flushOf(3, [[...row('b', 3), 'noted']]))
    expect(statementsSince(from).filter(sql => sql.endsWith('REMOVE DUPLICATES'))).toHaveLength(1)
    expect(await allRows(warehouse, wider)).toEqual([
      [...row('a', 2), null],
      [...row('b', 3), 'noted'],
    ])
  })

  it('needs one session for any number of sinks', async () => {
    const sinks = await Promise.all([1, 2, 3, 4].map(() => opened()))
    const peak = service.shim.sessions.peak
    await Promise.all(sinks.map(({ sink }) => sink.flush(flushOf(1, many(10)))))
    expect(peak).toBeLessThanOrEqual(2)
    expect(service.shim.sessions).toMatchObject({ peak })
    expect(warehouse.sessions).toMatchObject({ inUse: 0, limit: 1 })
  })
})
