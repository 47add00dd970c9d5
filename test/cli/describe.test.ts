import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { CommandResult } from './command-runner.js'
import { root, runCommands } from './run-commands.js'

const FILE = 'topologies/quest-minute.ts'
let results: readonly CommandResult[] = []

beforeAll(async () => {
  results = await runCommands([
    ['describe', 'text', FILE],
    ['describe', 'mermaid', FILE],
    ['describe', 'json', FILE],
    ['describe', 'json', FILE, 'topologies/region-hour.ts'],
    ['describe', 'text', 'test/cli/broken/duplicate-name.ts'],
    ['describe', 'text', 'nowhere.ts'],
  ])
}, 120_000)

function golden(name: string): string {
  return readFileSync(join(root, 'test/topology/golden', name), 'utf8').trimEnd()
}

test('prints text and Mermaid', () => {
  expect(results[0]).toEqual({ code: 0, out: golden('quest-minute.txt'), err: '' })
  expect(results[1]).toEqual({ code: 0, out: golden('quest-minute.mmd'), err: '' })
})

test('prints JSON, a list for several topologies', () => {
  expect(JSON.parse(results[2]?.out as string)).toMatchObject({
    topology: 'quest-minute',
    stores: [{ name: 'quest-minute', records: 'combined' }],
    tables: [{ name: 'quest_minute', key: ['quest_type', 'window_start', 'window_end'] }],
    processes: { expression: 'partitions(quest-events)' },
  })
  expect(JSON.parse(results[3]?.out as string)).toMatchObject([
    { topology: 'quest-minute' },
    { topology: 'region-hour' },
  ])
})

test('refuses a topology that is not sound, and a file that is not there', () => {
  expect(results[4]).toMatchObject({ code: 1, out: '' })
  expect(results[4]?.err).toContain(
    'Topology "duplicate-name" is not sound:\n  aggregate "quests" (operator 7): The name "quests"',
  )
  expect(results[5]).toEqual({
    code: 1,
    out: '',
    err: 'nowhere.ts does not exist. Give the path of a file that exports a topology.',
  })
})
