import { describe, expect, it } from 'vitest'
import { quoteIdentifier, quoteList, splitTableName } from '../../../src/warehouse/sql/identifier.js'

describe('identifiers', () => {
  it('are quoted, quotes doubled', () => {
    expect(quoteIdentifier('quest_type')).toBe('"quest_type"')
    expect(quoteIdentifier('a"; DROP TABLE b; --')).toBe('"a""; DROP TABLE b; --"')
    expect(quoteList(['a', 'b c'])).toBe('"a", "b c"')
  })

  it('are refused where PostgreSQL would cut them short or has none such', () => {
    expect(quoteIdentifier('x'.repeat(63))).toHaveLength(65)
    for (const name of ['', 'x'.repeat(64), 'é'.repeat(32), 'a\0b']) {
      expect(() => quoteIdentifier(name)).toThrow(expect.objectContaining({ code: 'WAREHOUSE_TABLE' }))
    }
  })

  it('of tables are split at the first dot', () => {
    expect(splitTableName('quests')).toEqual({ schema: undefined, table: 'quests' })
    expect(splitTableName('game.quests')).toEqual({ schema: 'game', table: 'quests' })
    expect(splitTableName('game.quests.daily')).toEqual({ schema: 'game', table: 'quests.daily' })
  })
})
