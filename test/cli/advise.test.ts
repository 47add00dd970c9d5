import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import avsc from 'avsc'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Advice } from '../../src/cli/advise.js'
import { sampleTopic } from '../../src/cli/advise-sample.js'
import { produceEvents } from '../../src/cli/produce.js'
import { embeddedLog } from '../../src/log/embedded/embedded-log.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'
import {
  activeUsers,
  type Change,
  changedEvents,
  oneQuestType,
  QUEST_KEYS,
  QUEST_SCHEMA,
} from '../advise/quest-samples.js'
import { millrace } from './command.js'

const MILLION = 1_000_000
const folder = mkdtempSync(join(tmpdir(), 'millrace-advise-'))
const file = (name: string): string => join(folder, name)

/** Writes seeded events as an Avro container file. */
async function writeEvents(name: string, total: number, change: Change): Promise<void> {
  const encoder = avsc.createFileEncoder(file(name), avsc.Type.forSchema(QUEST_SCHEMA as avsc.Schema))
  for (const event of changedEvents(total, change)) {
    if (!encoder.write(event)) await new Promise(resolve => encoder.once('drain', resolve))
  }
  await new Promise<void>(resolve => encoder.end(resolve))
}

async function adviceOf(...args: readonly string[]): Promise<Advice> {
  const { code, stdout, stderr } = await millrace(['advise', ...args, '--json'])
  expect(code, stderr).toBe(0)
  const lines = stdout.trim().split('\n')
  expect(lines).toHaveLength(1)
  return JSON.parse(lines[0]!)
}

beforeAll(async () => {
  await writeEvents('small.avro', 20_000, activeUsers)
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('1,000,000 events', { timeout: 180_000 }, () => {
  test.each([
    ['few quest types, a few very active users', activeUsers, 'questType'],
    ['one quest type that takes nearly everything, even users', oneQuestType, 'userId'],
  ])('with %s', async (_, change, best) => {
    await writeEvents('million.avro', MILLION, change)
    const { keys } = await adviceOf('--file', file('million.avro'), '--keys', QUEST_KEYS.join(','))
    expect([keys?.events, keys?.best]).toEqual([MILLION, best])
  })
})

describe('a file', { timeout: 120_000 }, () => {
  test('is shown as a table, with a verdict and hot keys by name', async () => {
    const { code, stdout } = await millrace(['advise', '--file', file('small.avro'), '--window', '1 hour'])
    expect(code).toBe(0)
    expect(stdout).toContain('Partition by questType: 20 values')
    expect(stdout).toMatch(/│ questType +│/)
    expect(stdout).toMatch(/Note: userId has hot keys: "whale-\d" 6\.\d %/)
  })

  test('of JSON lines is read by the schema of its topic', async () => {
    const lines = [...changedEvents(500, activeUsers)].map(event => JSON.stringify(event))
    writeFileSync(file('events.jsonl'), [...lines, '{"eventId": 5}'].join('\n'))
    const { keys } = await adviceOf(
      '--file',
      file('events.jsonl'),
      '--topic',
      'quest-events',
      '--window',
      '6 hours',
      '--keys',
      QUEST_KEYS.join(','),
    )
    expect([keys?.events, keys?.undecodable, keys?.best]).toEqual([500, 1, 'questType'])
  })

  test('gives a report that asks for nothing from elsewhere', async () => {
    const html = file('report.html')
    writeFileSync(file('log.sql'), "select quest_type, count(*) from quest_events where region = '<x>' group by 1;")
    const { sql } = await adviceOf('--file', file('small.avro'), '--sql', file('log.sql'), '--html', html)
    expect([sql?.onTable, sql?.rollups.length, sql?.sampled]).toEqual([1, 1, true])
    const text = readFileSync(html, 'utf8')
    expect(text).not.toMatch(/<script|src=|href=|url\(|@import/)
    expect(text).toContain('prefers-color-scheme: dark')
    expect(text.match(/<svg [^>]*role="img" aria-labelledby=/g)?.length).toBeGreaterThan(4)
    expect(text).toContain('&#60;x&#62;')
  })
})

describe('a topic', () => {
  test('is sampled over its partitions, the newest records, keys and times included', async () => {
    const clock = { now: () => Date.UTC(2026, 10, 1), sleep: async () => {} }
    const log = await embeddedLog({ clock, store: await memoryEngine().open('log') })
    const registry = fileRegistry({ schemas: [] })
    try {
      const plan = { seed: 1, start: Date.UTC(2026, 10, 1), spanMs: 3_600_000, total: 8_000, from: 0, to: 8_000 }
      await produceEvents({ ...plan, partitions: 4 }, { log, registry, clock })
      const options = { topic: 'quest-events', schemas: 'schemas', sample: 2_000 }
      const { sample, source, timestamp } = await sampleTopic(options, { log, registry })
      expect(sample.events).toBeGreaterThanOrEqual(2_000)
      expect(sample.events).toBeLessThanOrEqual(2_004)
      expect(new Set(sample.lanes.subarray(0, sample.events))).toEqual(new Set([0, 1, 2, 3]))
      // The newest quarter of an hour's events.
      expect(sample.span.from).toBeGreaterThan(plan.start + 2_400_000)
      expect([source.startsWith('the topic quest-events on '), timestamp]).toEqual([true, 'occurredAt'])
      expect(sample.messageKeys.cardinality).toBe(sample.column('userId').cardinality)
      const none = sampleTopic({ ...options, topic: 'other' }, { log, registry })
      await expect(none).rejects.toThrow('There is no topic "other"')
      await log.createTopics([{ name: 'empty', partitions: 2, config: {} }])
      const empty = sampleTopic({ ...options, topic: 'empty' }, { log, registry })
      await expect(empty).rejects.toThrow('The topic "empty" on')
      const unknown = sampleTopic({ ...options, schemas: folder }, { log, registry: fileRegistry({ schemas: [] }) })
      await expect(unknown).rejects.toThrow('No schema is known for the')
    } finally {
      await log.close()
    }
  })
})

describe('says in a sentence', { timeout: 60_000 }, () => {
  const small = ['--file', file('small.avro')]
  test.each([
    [[], 'There is nothing to advise on.'],
    [['--file', 'nowhere.avro'], 'nowhere.avro cannot be read'],
    [[...small, '--keys', 'questTyp'], '--keys questTyp: the events have no field "questTyp". '],
    [[...small, '--timestamp', 'then'], '--timestamp then: the events have no such field.'],
    [[...small, '--html', '/nowhere/report.html'], '--html /nowhere/report.html cannot be written'],
    [
      ['--sql', 'nowhere.sql', '--topic', 'quest-events', '--file', file('small.avro')],
      '--sql nowhere.sql cannot be read',
    ],
    [['--sql', file('other.sql'), '--table', 'unheard_of'], 'Nothing says what the events are'],
  ])('what is wrong with %j', async (args, sentence) => {
    writeFileSync(file('other.sql'), 'select 1')
    const { code, stderr } = await millrace(['advise', ...args])
    expect([code, stderr]).toEqual([1, expect.stringContaining(sentence)])
  })
})
