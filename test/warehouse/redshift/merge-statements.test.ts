import { describe, expect, it } from 'vitest'
import {
  deleteStatements,
  mergeStatements,
  nullPatterns,
  nullPatternsOf,
  unstageStatements,
} from '../../../src/warehouse/redshift/merge-statements.js'
import { tableSpec } from '../warehouse-contract.js'

const table = tableSpec(
  'Quests',
  [
    { name: 'gold', type: 'long', nullable: false },
    { name: 'type', type: 'text', nullable: true },
    { name: 'Region', type: 'text', nullable: true },
  ],
  ['type', 'Region'],
)
const at = { schema: 'game', table: 'quests', sql: '"game"."quests"', offsets: '"game"."millrace_offsets"' }
const stage = { name: 'millrace_upserts', columns: table.columns }

describe('statements that merge a stage', () => {
  it('find the ways in which keys are NULL', () => {
    const keys = [
      ['a', 'b'],
      ['a', null],
      ['c', 'd'],
      [null, null],
      ['e', null],
    ]
    expect(nullPatterns(keys)).toEqual([
      [false, false],
      [false, true],
      [true, true],
    ])
    expect(nullPatternsOf([[1, null, 'x']], table)).toEqual([[true, false]])
  })

  it('replace rows where the columns are the same', () => {
    expect(mergeStatements(at, table, stage, [[false, false]], true)).toEqual([
      'MERGE INTO "game"."quests" USING millrace_upserts ON "quests"."type" = millrace_upserts.x1' +
        ' AND "quests"."region" = millrace_upserts.x2 REMOVE DUPLICATES',
    ])
  })

  it('update and insert where they are not', () => {
    expect(mergeStatements(at, table, stage, [[false, false]], false)[0]).toMatch(
      / WHEN MATCHED THEN UPDATE SET "gold" = millrace_upserts\.x0 WHEN NOT MATCHED THEN INSERT \("gold", "type", "region"\) VALUES \(millrace_upserts\.x0, millrace_upserts\.x1, millrace_upserts\.x2\)$/,
    )
    const keys = tableSpec('quests', table.columns.slice(1), ['type', 'Region'])
    const keyStage = { name: 'millrace_upserts', columns: keys.columns }
    expect(mergeStatements(at, keys, keyStage, [], false)[0]).toMatch(/UPDATE SET "type" = millrace_upserts\.x0 WHEN/)
  })

  it('delete rows with NULL in their key first, which no MERGE matches', () => {
    expect(
      mergeStatements(
        at,
        table,
        stage,
        [
          [false, false],
          [true, false],
        ],
        true,
      ),
    ).toEqual([
      'DELETE FROM "game"."quests" USING millrace_upserts WHERE "quests"."type" IS NULL AND millrace_upserts.x1 IS NULL' +
        ' AND "quests"."region" = millrace_upserts.x2',
      expect.stringMatching(/^MERGE/),
    ])
  })

  it('delete from a table, and from a stage what a table has', () => {
    const where = 'WHERE "quests"."type" = millrace_upserts.x1 AND "quests"."region" = millrace_upserts.x2'
    const patterns = [[false, false]]
    expect(deleteStatements(at, table, stage, patterns)).toEqual([
      `DELETE FROM "game"."quests" USING millrace_upserts ${where}`,
    ])
    expect(unstageStatements(at, table, stage, patterns)).toEqual([
      `DELETE FROM millrace_upserts USING "game"."quests" ${where}`,
    ])
    expect(deleteStatements(at, table, stage, [])).toEqual([])
  })
})
