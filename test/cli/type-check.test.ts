import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nearestConfig } from '../../src/cli/nearest-config.js'
import { checkTypes, type TypeReport } from '../../src/cli/type-check.js'
import { typeMessage } from '../../src/cli/type-message.js'
import { root } from './run-commands.js'

const HEAD = `import { aggregate, avro, count, filter, fromTopic, mapValues, sum, to, topic, topology, toStream, tumbling, warehouse, where, window } from 'millrace'
const schema = avro<{ a: string; n: number }>({ type: 'record', name: 'A', fields: [] })
const flow = fromTopic('x', { value: schema })
const table = flow.pipe(window(tumbling('1 minute')), aggregate('n', { c: count() }))
`

/** Files of a user's project, and what is said of each: line, operator and message. */
const FILES: Readonly<
  Record<
    string,
    { readonly text: string; readonly said: readonly (readonly [number, string | undefined, string | RegExp])[] }
  >
> = {
  'sound.ts': { text: `${HEAD}export default topology('t', table.pipe(to(warehouse('w'))))`, said: [] },
  'no-window.ts': {
    text: `${HEAD}flow.pipe(\n  aggregate('m', { c: count() }))`,
    said: [
      [
        6,
        'aggregate "m"',
        "It takes a windowed stream, and this is a stream. Put window(tumbling('1 minute')) before it, or window(globalWindow()).",
      ],
    ],
  },
  'filter-after-window.ts': {
    text: `${HEAD}flow.pipe(window(tumbling('1 minute')),\n  filter(() => true))`,
    said: [
      [
        6,
        'filter',
        'It does not take a windowed stream. Move it before window(...), or put aggregate(...) between them.',
      ],
    ],
  },
  'filter-after-table.ts': {
    text: `${HEAD}table.pipe(\n  filter(() => true))`,
    said: [[6, 'filter', 'It takes a stream, and this is a table. Put toStream() before it.']],
  },
  'stream-to-warehouse.ts': {
    text: `${HEAD}flow.pipe(\n  to(warehouse('w')))`,
    said: [
      [6, 'to(warehouse) "w"', 'It takes a table, and this is a stream. Put window(...) and aggregate(...) before it.'],
    ],
  },
  'no-end.ts': {
    text: `${HEAD}topology('t',\n  flow)`,
    said: [[6, 'topology "t"', 'A flow has no end. Put to(topic(...)) or to(warehouse(...)) at the end of it.']],
  },
  'lambda.ts': {
    text: `${HEAD}flow.pipe(filter(e =>\n  e.nope > 1))`,
    said: [
      [
        6,
        'filter',
        "Property 'nope' does not exist on type '{ a: string; n: number; }'. Name a field of the value; one that the topic has must be in pick(...).",
      ],
    ],
  },
  'value.ts': {
    text: `${HEAD}flow.pipe(where({\n  a: 3 }))`,
    said: [[6, 'where', /^Type 'number' is not assignable to type /]],
  },
  'syntax.ts': { text: 'const a = ;', said: [[1, undefined, 'Expression expected.']] },
  'imports.ts': {
    text: `import { flow } from './shared/flow.js'\nimport { none } from './none.js'\nexport default [flow, none]`,
    said: [
      [2, undefined, 'It imports "./none.js", which does not exist. Correct the import, or create the file.'],
      [1, undefined, "Type 'string' is not assignable to type 'number'."],
    ],
  },
}

let folder = ''
let reports: ReadonlyMap<string, TypeReport> = new Map()

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
}

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-types-')))
  write('package.json', '{ "type": "module" }')
  const compilerOptions = {
    strict: true,
    target: 'ES2023',
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    skipLibCheck: true,
    types: [],
    paths: { millrace: [join(root, 'src/index.ts')] },
  }
  write('tsconfig.json', JSON.stringify({ compilerOptions }))
  for (const [file, { text }] of Object.entries(FILES)) write(file, text)
  write('shared/flow.ts', `export const flow: number = 'text'`)
  reports = await checkTypes(Object.keys(FILES).map(file => join(folder, file)))
}, 120_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('checkTypes', () => {
  test.each(Object.keys(FILES))('%s', file => {
    const { said } = FILES[file]!
    const findings = reports.get(join(folder, file))?.findings.map(one => [one.line, one.title, typeMessage(one)])
    expect(findings).toEqual(
      said.map(([line, title, message]) => [
        line,
        title,
        typeof message === 'string' ? message : expect.stringMatching(message),
      ]),
    )
  })

  test('knows where operators are called', () => {
    const calls = reports.get(join(folder, 'sound.ts'))?.calls.map(call => `${call.line} ${call.title}`)
    expect(calls).toEqual([
      '3 fromTopic "x"',
      '4 window',
      '4 aggregate "n"',
      '5 topology "t"',
      '5 to(warehouse) "w"',
      '5 to(warehouse) "w"',
    ])
  })
})

test('the nearest configuration is the one in the folder or above it', () => {
  write('deep/er/file.ts', '')
  write('deep/tsconfig.json', '{}')
  expect(nearestConfig(join(folder, 'deep/er/file.ts'))).toBe(join(folder, 'deep/tsconfig.json'))
  expect(nearestConfig(join(folder, 'sound.ts'))).toBe(join(folder, 'tsconfig.json'))
  expect(nearestConfig('/file.ts')).toBeUndefined()
})

test('a file without a configuration is checked strictly', async () => {
  const lone = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-lone-')))
  try {
    writeFileSync(join(lone, 'a.ts'), 'export const f = (x) => x')
    const report = (await checkTypes([join(lone, 'a.ts')])).get(join(lone, 'a.ts'))
    expect(report?.findings.map(finding => finding.message)).toEqual(["Parameter 'x' implicitly has an 'any' type."])
  } finally {
    rmSync(lone, { recursive: true, force: true })
  }
}, 60_000)
