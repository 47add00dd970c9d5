import { expect, test } from 'vitest'
import {
  changelogTopic,
  deadLetterTopic,
  groupOf,
  progressTopic,
  repartitionTopic,
  rowsTopic,
  topicNameProblem,
  warehouseTable,
} from '../../src/topology/names.js'

test('internal topics begin with the group', () => {
  expect(groupOf({ name: 'quests' })).toBe('quests')
  const group = groupOf({ name: 'quests' }, 'prod')
  expect([
    group,
    repartitionTopic(group, { name: 'by-type' }),
    changelogTopic(group, { name: 'minute' }),
    rowsTopic(group, { table: 'analytics.quest_minute' }),
    deadLetterTopic(group),
    progressTopic(group),
  ]).toEqual([
    'prod.quests',
    'prod.quests-by-type-repartition',
    'prod.quests-minute-changelog',
    'prod.quests-analytics-quest_minute-rows',
    'prod.quests-dead-letters',
    'prod.quests-progress',
  ])
})

test.each([
  ['quest_minute', undefined, 'quest_minute'],
  ['analytics.quest_minute', undefined, 'analytics.quest_minute'],
  ['quest_minute', 'staging', 'staging.quest_minute'],
  ['analytics.quest_minute', 'staging', 'staging_analytics.quest_minute'],
  ['quest_minute', 'Team-A.staging', 'team_a_staging.quest_minute'],
  ['analytics.quest_minute', '2026', '_2026_analytics.quest_minute'],
])('the table %j in the namespace %j', (table, namespace, name) => {
  expect(warehouseTable(table, namespace)).toBe(name)
})

test.each([
  ['quest-events', undefined],
  ['a.B_9-', undefined],
  ['x'.repeat(249), undefined],
  ['', '"" is not a topic name'],
  ['.', '"." is not a topic name'],
  ['..', '".." is not a topic name'],
  ['quest events', 'it contains " ", and Kafka takes letters, digits, ".", "_" and "-"'],
  ['größe', 'it contains "ö", and Kafka takes letters, digits, ".", "_" and "-"'],
  ['x'.repeat(250), 'it has 250 characters, and Kafka takes 249'],
])('the topic name %j', (name, problem) => {
  expect(topicNameProblem(name)).toBe(problem)
})
