import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { findCycle, importGraph, importsOf, sourceFiles } from './architecture/import-graph.js'
import { loadedBy } from './architecture/loaded-modules.js'
import { DRIVERS, partOf, RULES, violations } from './architecture/rules.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const LINES_AT_MOST = 300

/** Files that may be longer, each with the reason. */
const LONGER: Readonly<Record<string, string>> = {}

const source = importGraph(ROOT, ['src'])
const users = importGraph(ROOT, ['topologies', 'schemas'])

describe('imports', () => {
  test('every file imports only what its part may import', () => {
    expect(violations([...source, ...users])).toEqual([])
  })

  test('every rule stands for a part that exists', () => {
    const parts = new Set(sourceFiles(ROOT, 'src').map(partOf))
    expect(Object.keys(RULES).filter(part => !parts.has(part))).toEqual([])
  })

  test('no parts import each other in a circle, and no files do', () => {
    const parts = new Map<string, Set<string>>()
    const files = new Map<string, Set<string>>()
    const add = (edges: Map<string, Set<string>>, from: string, to: string): void => {
      if (from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to))
    }
    for (const { file, target } of source) {
      if (target === undefined) continue
      add(files, file, target)
      add(parts, partOf(file), partOf(target))
    }
    expect(findCycle(parts)).toBeUndefined()
    expect(findCycle(files)).toBeUndefined()
  })

  test.each([
    ['src/model/duration.ts', "import { validate } from '../topology/validate.js'", 'model may import no other part'],
    ['src/ports/log.ts', "import type { Task } from '../runtime/task.js'", 'ports may import model, not runtime'],
    ['src/topology/graph.ts', "import { map } from 'rxjs'", 'topology may import types of rxjs, not rxjs'],
    ['src/topology/graph.ts', "import { type Observable } from 'rxjs'", 'topology may import types of rxjs, not rxjs'],
    ['src/operators/map.ts', "import { task } from '../runtime/task.js'", 'not runtime'],
    ['src/aggregates/sum.ts', "export { rx } from '../operators/rx.js'", 'not operators'],
    ['src/log/kafka/kafka-log.ts', "import { x } from '../embedded/embedded-log.js'", 'not log/embedded'],
    [
      'src/warehouse/postgres/copy-text.ts',
      "import { x } from '../pglite/pglite-warehouse.js'",
      'not warehouse/pglite',
    ],
    ['src/serde/avro-type.ts', "const pg = await import('pg')", 'not pg'],
    ['src/log/kafka/kafka-log.ts', "import kafka from 'node-rdkafka'", 'a driver is loaded by import()'],
    ['src/runtime/task.ts', "import type { Log } from '../log/kafka/kafka-log.js'", 'not log/kafka'],
    ['src/runtime/task.ts', "import { readFileSync } from 'node:fs'", 'not node:fs'],
    ['src/runtime/task.ts', "import { Subject } from 'rxjs'", 'only src/runtime/compile.ts'],
    ['src/cli/run.ts', "import { helper } from '../../test/helper.js'", 'imports nothing outside src'],
    ['src/index.ts', "export { TopologyTestDriver } from './testing.js'", 'not testing'],
    ['src/plugins/new.ts', "import { count } from '../index.js'", '"plugins" is no part of the package'],
    ['topologies/mine.ts', "import { Task } from '../src/runtime/task.js'", "import 'millrace' and schemas/ only"],
    ['topologies/mine.ts', "import pg from 'pg'", "import 'millrace' and schemas/ only"],
  ])('a planted import of %s is found: %s', (file, text, rule) => {
    const found = violations(importsOf(file, `\n${text}`))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(`${file}:2 imports "${/'(.*)'/.exec(text)?.[1]}": `)
    expect(found[0]).toContain(rule)
  })

  test.each([
    ['src/runtime/task.ts', "import type { Subject } from 'rxjs'"],
    ['src/log/kafka/kafka-log.ts', "const { default: driver } = await import('node-rdkafka')"],
    ['src/log/kafka/kafka-client.ts', "export type Driver = typeof import('node-rdkafka')"],
    ['topologies/mine.ts', "import { questEvent } from '../schemas/quest-event.js'"],
  ])('%s may hold: %s', (file, text) => {
    expect(importsOf(file, text)).toHaveLength(1)
    expect(violations(importsOf(file, text))).toEqual([])
  })

  test('a planted circle is found', () => {
    const edges = new Map(Object.entries({ a: new Set(['b']), b: new Set(['c', 'd']), d: new Set(['b']) }))
    expect(findCycle(edges)).toEqual(['b', 'd', 'b'])
  })
})

describe('the entry of the package', () => {
  test('src/index.ts holds named exports and nothing else', () => {
    const lines = readFileSync(`${ROOT}/src/index.ts`, 'utf8').trim().split('\n')
    expect(lines.filter(line => !/^export (type )?\{ .+ \} from '\.\/.+\.js'$/.test(line))).toEqual([])
  })
})

describe('what is loaded', { timeout: 120_000 }, () => {
  const loadsNoDriver = (program: string): void => {
    const { native, packages } = loadedBy(ROOT, program)
    expect(native).toEqual([])
    expect(DRIVERS.filter(driver => packages.has(driver))).toEqual([])
  }
  const IO = 'const io = { out() {}, err(line) { throw new Error(line) } }'
  const FILES = "['topologies/quest-minute.ts', 'topologies/region-hour.ts']"

  test('the DSL loads no driver', () => {
    loadsNoDriver("await import('./src/index.ts')")
  })

  test('describe loads no driver', () => {
    loadsNoDriver(`
      const { describeCommand } = await import('./src/cli/describe.ts')
      ${IO}
      if ((await describeCommand(${FILES}, { format: 'text' }, io)) !== 0) throw new Error('describe failed')`)
  })

  test('check loads no driver', () => {
    loadsNoDriver(`
      const { checkCommand } = await import('./src/cli/check.ts')
      ${IO}
      if ((await checkCommand(${FILES}, io)) !== 0) throw new Error('check failed')`)
  })

  test('the parent of a worker loads no driver, and nothing that topologies run on', () => {
    const { native, packages } = loadedBy(
      ROOT,
      `
      const { workOf } = await import('./src/cli/run.ts')
      const options = { kafka: '127.0.0.1:1', processes: 2, drainTimeout: 1, http: 'off' }
      const work = await workOf(['topologies/quest-minute.ts'], options)
      if (work({ info() {}, warn() {} }).processes().length !== 2) throw new Error('no processes')`,
    )
    expect(native).toEqual([])
    expect([...DRIVERS, 'avsc', 'rxjs', 'tsx'].filter(one => packages.has(one))).toEqual([])
  })

  test('a test of a topology loads no driver', () => {
    loadsNoDriver(`
      const { TopologyTestDriver } = await import('./src/testing.ts')
      const { default: topology } = await import('./topologies/quest-minute.ts')
      await (await TopologyTestDriver.start(topology)).close()`)
  })

  test('a driver that is loaded is found', () => {
    const { native, packages } = loadedBy(ROOT, "await import('pg'); await import('rocksdb-native')")
    expect(packages).toContain('pg')
    expect(native.join()).toContain('rocksdb')
  })
})

describe('files', () => {
  const files = sourceFiles(ROOT, 'src')
  const lines = (file: string): number => readFileSync(`${ROOT}/${file}`, 'utf8').split('\n').length - 1

  test(`no file has more than ${LINES_AT_MOST} lines`, () => {
    const long = files.filter(file => lines(file) > LINES_AT_MOST && LONGER[file] === undefined)
    expect(long.map(file => `${file} has ${lines(file)} lines: split it, or say in LONGER why not`)).toEqual([])
    expect(Object.keys(LONGER).filter(file => !files.includes(file) || lines(file) <= LINES_AT_MOST)).toEqual([])
  })

  test('names are kebab-case nouns of the field', () => {
    expect(files.filter(file => !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/.test(basename(file)))).toEqual([])
    expect(files.filter(file => /\b(manager|helper|base|util)s?\b/.test(basename(file)))).toEqual([])
  })
})
