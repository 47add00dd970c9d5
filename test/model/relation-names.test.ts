import { expect, test } from 'vitest'
import { closedTable, openTable, siblingName } from '../../src/model/relation-names.js'

test('the parts and views of a table stand in its schema', () => {
  expect([openTable('analytics.quest_minute'), closedTable('quest_minute')]).toEqual([
    'analytics.quest_minute_open',
    'quest_minute_closed',
  ])
  expect(siblingName('analytics.quest_minute', 'quest_hour')).toBe('analytics.quest_hour')
  expect(siblingName('quest_minute', 'quest_hour')).toBe('quest_hour')
})
