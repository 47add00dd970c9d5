import { describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../../src/ports/object-store.js'
import type { Row } from '../../../src/ports/warehouse.js'
import { StagedRows } from '../../../src/warehouse/redshift/staged-rows.js'
import type { SqlSession } from '../../../src/warehouse/sql/session.js'

const columns = [
  { name: 'n', type: 'int', nullable: false },
  { name: 'b', type: 'bytes', nullable: true },
] as const
const rows = (count: number): Row[] => Array.from({ length: count }, (_, i) => [i, Buffer.from([i % 250])])

function fixture(loaded?: number) {
  const objects = new Map<string, Buffer>()
  const statements: string[] = []
  const objectStore: ObjectStore = {
    name: 'a store',
    url: key => `s3://load/${key}`,
    put: async (key, body) => void objects.set(key, body),
    delete: async keys => keys.forEach(key => void objects.delete(key)),
    close: async () => undefined,
  }
  const session: SqlSession = {
    async query(sql) {
      statements.push(sql)
      return { rows: sql.includes('pg_last_copy_count') ? [[String(loaded)]] : [], affected: 0 }
    },
  }
  const staged = (some: readonly Row[], copyFromRows = 3) =>
    new StagedRows({ name: 'stage', columns }, some, {
      objectStore,
      copyCredentials: { role: 'default' },
      region: undefined,
      copyFromRows,
    })
  return { objects, statements, session, staged }
}

describe('rows of a flush', () => {
  it('are one INSERT where they are few', async () => {
    const { objects, statements, session, staged } = fixture()
    const few = staged(rows(2))
    await few.upload('sink/0/owner/1')
    await few.fill(session)
    expect(statements).toEqual([
      'CREATE TEMPORARY TABLE stage (x0 integer, x1 varbyte(64000))',
      `INSERT INTO stage VALUES ('0'::integer, to_varbyte('00', 'hex')), ('1'::integer, to_varbyte('01', 'hex'))`,
    ])
    expect(objects.size).toBe(0)
  })

  it('are loaded where they are many, or a statement would be long, but for empty bytes, which COPY takes for NULL', async () => {
    const { objects, statements, session, staged } = fixture(3)
    const many = staged([...rows(3), [9, Buffer.alloc(0)]])
    await many.upload('sink/0/owner/1')
    expect([...objects.keys()]).toEqual(['sink/0/owner/1/stage-0.csv.gz', 'sink/0/owner/1/stage-manifest.json'])
    await many.fill(session)
    expect(statements.slice(1)).toEqual([
      expect.stringMatching(/^COPY stage FROM 's3:\/\/load\/sink\/0\/owner\/1\/stage-manifest.json' IAM_ROLE default/),
      'SELECT pg_last_copy_count()',
      `INSERT INTO stage VALUES ('9'::integer, to_varbyte('', 'hex'))`,
    ])
    await many.discard()
    expect(objects.size).toBe(0)
    const long = staged([
      [1, Buffer.alloc(2_000_000)],
      [2, Buffer.alloc(2_000_000)],
    ])
    await long.upload('sink/0/owner/2')
    expect(objects.size).toBe(2)
  })

  it('are refused when COPY loaded another number of them', async () => {
    const { session, staged } = fixture(2)
    const many = staged(rows(3))
    await many.upload('sink/0/owner/1')
    await expect(many.fill(session)).rejects.toMatchObject({
      code: 'WAREHOUSE',
      message: expect.stringMatching(/loaded 2 of 3 rows from s3:/),
    })
  })
})
