import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { CommandResult } from './command-runner.js'
import { root, runCommands } from './run-commands.js'

interface Said {
  /** Text of the file that the place points at; at its last occurrence. */
  readonly at: string
  readonly node: string
  readonly message: string
}

/** Each broken topology, and what is said of it. */
const BROKEN: Readonly<Record<string, readonly Said[]>> = {
  'unknown-field': [
    {
      at: `'rewardGld'`,
      node: 'aggregate "quest-minute" (operator 4)',
      message:
        'Measure "gold" reads "rewardGld", which is no field of the value here. Did you mean "rewardGold"? Known are questType, rewardGold, occurredAt. If the topic has it, add it to pick(...).',
    },
  ],
  'missing-window': [
    {
      at: `aggregate('quest-minute'`,
      node: 'aggregate "quest-minute" (operator 3)',
      message: `It has no window. Put window(tumbling('1 minute')) before it, or window(globalWindow()) for one that never closes.`,
    },
  ],
  'duplicate-name': [
    {
      at: `aggregate('quests'`,
      node: 'aggregate "quests" (operator 7)',
      message:
        'The name "quests" is used twice (operators 4 and 7). It names a store and its changelog topic; rename one. If they are meant to be one, hold it in a constant and use that.',
    },
  ],
  'unknown-column': [
    {
      at: `'questType'], distKey`,
      node: 'to(warehouse) "quest_minute" (operator 5)',
      message:
        '`sortKey` names the column "questType", which the table does not have. Did you mean "quest_type"? Known are quest_type, window_start, window_end, events.',
    },
    {
      at: 'distKey: ',
      node: 'to(warehouse) "quest_minute" (operator 5)',
      message:
        '`distKey` names the column "quest_tipe", which the table does not have. Did you mean "quest_type"? Known are quest_type, window_start, window_end, events.',
    },
  ],
  'untyped-map': [
    {
      at: `repartition('by-kind'`,
      node: 'repartition "by-kind" (operator 3)',
      message:
        'It writes values to its topic, but behind mapValues (operator 2) the type of the value is unknown. Give mapValues a schema as last argument, { value: schema }, or use select({ … }) of typed fields instead.',
    },
  ],
  'missing-schema-file': [
    {
      at: `'../../../schemas/raid-event.js'`,
      node: 'import "../../../schemas/raid-event.js"',
      message:
        'It imports "../../../schemas/raid-event.js", which does not exist. Put the schema into schemas/raid-event.avsc and run `millrace codegen`, which writes the module beside it.',
    },
  ],
}

function expectedLines(name: string): readonly string[] {
  const text = readFileSync(join(root, file(name)), 'utf8')
  return (BROKEN[name] as readonly Said[]).flatMap(({ at, message, node }) => {
    const before = text.slice(0, text.lastIndexOf(at)).split('\n')
    return [`${file(name)}:${before.length}:${(before.at(-1) as string).length + 1}  ${node}`, `  ${message}`]
  })
}

const names = Object.keys(BROKEN)
const file = (name: string): string => `test/cli/broken/${name}.ts`
let results: readonly CommandResult[] = []

beforeAll(async () => {
  results = await runCommands([
    ...names.map(name => ['check', file(name)]),
    ['check', ...names.map(file), 'nowhere.ts'],
    ['check', 'topologies/quest-minute.ts', 'topologies/region-hour.ts'],
    ['check', 'topologies/quest-minute.ts', 'test/cli/broken/twin.ts'],
    ['check'],
  ])
}, 120_000)

function problemLines({ out }: CommandResult): readonly string[] {
  return out.split('\n').slice(0, -1)
}

describe('check', () => {
  test.each(names.map((name, index) => ({ name, index })))('$name', ({ name, index }) => {
    const result = results[index] as CommandResult
    expect(problemLines(result)).toEqual(expectedLines(name))
    expect(result.out.split('\n').at(-1)).toBe(name === 'unknown-column' ? '2 problems.' : '1 problem.')
    expect(result).toMatchObject({ code: 1, err: '' })
  })

  test('all problems of all files at once, a missing file among them', () => {
    const result = results[names.length] as CommandResult
    expect(problemLines(result)).toEqual([
      ...names.flatMap(expectedLines),
      'nowhere.ts',
      '  nowhere.ts does not exist. Give the path of a file that exports a topology.',
    ])
    expect(result.code).toBe(1)
  })

  test('sound topologies', () => {
    expect(results[names.length + 1]).toEqual({
      code: 0,
      out: 'topologies/quest-minute.ts: topology "quest-minute": no problems.\ntopologies/region-hour.ts: topology "region-hour": no problems.',
      err: '',
    })
  })

  test('two files with topologies of one name', () => {
    const result = results[names.length + 2] as CommandResult
    expect(problemLines(result)).toEqual([
      'test/cli/broken/twin.ts  topology "quest-minute"',
      '  topologies/quest-minute.ts has a topology of that name, too. Both would be one consumer group and share its topics; rename one.',
    ])
    expect(result.code).toBe(1)
  })

  test('no file at all', () => {
    expect(results.at(-1)).toEqual({
      code: 1,
      out: '',
      err: 'Name at least one file: millrace check topologies/quest-minute.ts',
    })
  })
})
