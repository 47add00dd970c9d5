import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { aggregate, aggregator, hopping, sum, tumbling, window } from 'millrace'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Store, StoreEngine } from '../../src/ports/store.js'
import { fingerprintOf } from '../../src/runtime/internal-value.js'
import { KeyCodec } from '../../src/runtime/key-codec.js'
import { MeasureProgram } from '../../src/runtime/measure-program.js'
import { type Cell, WindowTable } from '../../src/runtime/window-table.js'
import { avroSerde } from '../../src/serde/avro-serde.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'
import { rocksdbNativeEngine } from '../../src/state/rocksdb/native-engine.js'
import type { Measure } from '../../src/topology/measure.js'
import type { AggregateNode, WindowSpec } from '../../src/topology/node.js'
import { keyShape, valueShape } from '../../src/topology/shape.js'
import { type Event, events } from './events.js'

const serde = avroSerde(fileRegistry({ schemas: [] }))
const place = { timestamp: 0, topic: 't', partition: 0, offset: 0, index: 0 }

/** A table of sums over windows of 10 ms, in a store. */
function tableOf(
  store: Store,
  spec: WindowSpec,
  measures: Record<string, Measure<Event, unknown>> = { total: sum<Event>('n') },
) {
  const node = events.pipe(window(spec), aggregate('sums', measures)).node as AggregateNode
  const program = MeasureProgram.ofAggregate(node, valueShape(node.inputs[0]!), serde)
  const keys = new KeyCodec(keyShape(node)!, 'utf8', serde)
  const fingerprint = fingerprintOf(program.schema)
  return new WindowTable('sums', spec, program, keys, fingerprint, () => undefined, store)
}

async function add(table: WindowTable, start: number, key: string, n: number, timestamp: number): Promise<void> {
  const entry = table.keys.ofText(key)
  table.want(start, entry)
  await table.load()
  const cell = table.cell(start, entry)
  table.program.add(cell, [n], undefined, place, timestamp)
  table.touch(cell)
}

async function remove(table: WindowTable, start: number, key: string): Promise<void> {
  const entry = table.keys.ofText(key)
  table.want(start, entry)
  await table.load()
  const cell = table.cell(start, entry)
  cell.states = undefined
  table.touch(cell)
}

function rows(table: WindowTable, cells: Iterable<Cell>): unknown[] {
  return [...cells].map(({ start, key, states, timestamp }) => {
    if (!states) return [start, key.columns.key, null]
    const row = table.program.row(states, () => undefined) as { total: number }
    return [start, key.columns.key, row.total, timestamp]
  })
}

type Operation =
  | { readonly kind: 'add' | 'remove'; readonly start: number; readonly key: string; readonly n: number }
  | { readonly kind: 'close'; readonly time: number; readonly which: 'all' | 'changed' }
  | { readonly kind: 'commit' | 'reopen' | 'restore' }

interface Row {
  total: number
  timestamp: number
  dirty: boolean
  deleted: boolean
}

const KEYS = ['a', 'ab', 'b', 'é', 'ÿ']

function operations(): fc.Arbitrary<Operation[]> {
  const change = fc.record({
    kind: fc.constantFrom('add' as const, 'add' as const, 'add' as const, 'remove' as const),
    start: fc.nat(6).map(i => 10 * i),
    key: fc.constantFrom(...KEYS),
    n: fc.integer({ min: -5, max: 5 }),
  })
  const close = fc.record({
    kind: fc.constant('close' as const),
    time: fc.nat(80),
    which: fc.constantFrom('all' as const, 'changed' as const),
  })
  const other = fc.record({
    kind: fc.constantFrom('commit' as const, 'commit' as const, 'reopen' as const, 'restore' as const),
  })
  return fc.array(
    fc.oneof({ weight: 6, arbitrary: change }, { weight: 1, arbitrary: close }, { weight: 3, arbitrary: other }),
    {
      maxLength: 40,
    },
  )
}

/** Runs operations on a table and on a map, with commits, reopened stores and stores restored from the changelog. */
async function check(
  open: () => Promise<{ store: Store; again(): Promise<Store> }>,
  given: readonly Operation[],
): Promise<void> {
  const spec = tumbling('10ms', { grace: '5ms' })
  let { store, again } = await open()
  let table = tableOf(store, spec)
  let closedTo = 0
  const model = new Map<string, Row>()
  const changelog = new Map<string, Buffer>()
  const id = (start: number, key: string) =>
    `${String(start).padStart(3)} ${Buffer.from(key).toString('latin1')}\0${key}`
  const parse = (text: string): [number, string] => [Number(text.slice(0, 3)), text.split('\0')[1]!]
  const commit = async () => {
    const writes = table.changes((key, value) => {
      if (value === null) changelog.delete(key.toString('hex'))
      else changelog.set(key.toString('hex'), value)
    })
    await store.write(writes)
    // Now and then nothing stays in memory.
    table.committed(model.size % 2 === 0 ? 0 : 1_000_000)
    for (const [key, row] of model) {
      row.dirty = false
      if (row.deleted) model.delete(key)
    }
  }
  for (const operation of given) {
    switch (operation.kind) {
      case 'add':
      case 'remove': {
        const { start, key, n } = operation
        if (table.closeTime(start) <= closedTo) break
        const row = model.get(id(start, key))
        if (operation.kind === 'remove') {
          await remove(table, start, key)
          if (row) Object.assign(row, { deleted: true, dirty: true })
          else model.set(id(start, key), { total: 0, timestamp: 0, dirty: true, deleted: true })
          break
        }
        await add(table, start, key, n, start + Math.abs(n))
        if (row === undefined || row.deleted) {
          model.set(id(start, key), { total: n, timestamp: start + Math.abs(n), dirty: true, deleted: false })
        } else {
          row.total += n
          row.timestamp = Math.max(row.timestamp, start + Math.abs(n))
          row.dirty = true
        }
        break
      }
      case 'close': {
        if (operation.time < closedTo) break
        closedTo = operation.time
        const closing = [...model]
          .filter(([key]) => table.closeTime(parse(key)[0]) <= closedTo)
          .sort(([a], [b]) => (a < b ? -1 : 1))
        if (closing.length > 0) expect(table.closes(closedTo)).toBe(true)
        const closed = rows(table, await table.close(closedTo, operation.which))
        const wanted = closing
          .filter(([, row]) => operation.which === 'all' || row.dirty)
          .map(([key, row]) => (row.deleted ? [...parse(key), null] : [...parse(key), row.total, row.timestamp]))
        const shown = operation.which === 'all' ? closed.filter(row => (row as unknown[])[2] !== null) : closed
        expect(shown).toEqual(operation.which === 'all' ? wanted.filter(row => row[2] !== null) : wanted)
        for (const [key] of closing) model.delete(key)
        break
      }
      case 'commit':
        await commit()
        break
      case 'reopen':
        await commit()
        store = await again()
        table = tableOf(store, spec)
        await table.open()
        break
      case 'restore':
        await commit()
        await store.close()
        ;({ store, again } = await open())
        table = tableOf(store, spec)
        await store.write(
          [...changelog].map(([key, value]) => ({
            type: 'put' as const,
            key: table.storeKeyOf(Buffer.from(key, 'hex')),
            value,
          })),
        )
        await table.open()
        break
      default:
        operation satisfies never
    }
    const live = [...model].filter(([, row]) => !row.deleted).sort(([a], [b]) => (a < b ? -1 : 1))
    expect(rows(table, await table.entries())).toEqual(
      live.map(([key, row]) => [...parse(key), row.total, row.timestamp]),
    )
    const dirty = [...model].filter(([, row]) => row.dirty).length
    expect(table.changed.size).toBe(dirty)
  }
  await commit()
  expect(changelog.size).toBe(model.size)
  await store.close()
}

async function inEngine(engine: StoreEngine, directory: string) {
  let opened = 0
  return async () => {
    const at = join(directory, String(opened++))
    let store = await engine.open(at)
    return {
      store,
      async again() {
        await store.close()
        store = await engine.open(at)
        return store
      },
    }
  }
}

describe('a window table', () => {
  it('is a map of windows, whatever is committed, reopened and restored (memory)', async () => {
    const open = await inEngine(memoryEngine(), 'tables')
    await fc.assert(
      fc.asyncProperty(operations(), given => check(open, given)),
      { numRuns: 300 },
    )
  })

  it('is a map of windows, whatever is committed, reopened and restored (rocksdb-native)', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'window-table-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const open = await inEngine(rocksdbNativeEngine(), directory)
    await fc.assert(
      fc.asyncProperty(operations(), given => check(open, given)),
      { numRuns: 15 },
    )
  }, 60_000)

  it('looks only up what may be stored', async () => {
    const store = await memoryEngine().open('table')
    const table = tableOf(store, tumbling('10ms'))
    table.want(0, table.keys.ofText('a'))
    expect(table.loading).toBe(false)
    await add(table, 0, 'a', 1, 1)
    await store.write(table.changes(() => undefined))
    table.want(0, table.keys.ofText('a'))
    expect(table.loading).toBe(false)
    table.want(0, table.keys.ofText('b'))
    expect(table.loading).toBe(true)
    table.want(10, table.keys.ofText('a'))
    await table.load()
    expect(table.loading).toBe(false)
  })

  it('of hopping windows closes each at its own time', async () => {
    const table = tableOf(await memoryEngine().open('table'), hopping('10ms', { advance: '5ms' }))
    for (const start of [0, 5, 10]) await add(table, start, 'a', 1, start)
    expect(table.closes(9)).toBe(false)
    expect(table.closes(10)).toBe(true)
    expect(rows(table, await table.close(15, 'all'))).toEqual([
      [0, 'a', 1, 0],
      [5, 'a', 1, 5],
    ])
    expect(table.openWindows).toBe(1)
  })

  it('refuses states of a schema that nobody wrote down, by name', async () => {
    const store = await memoryEngine().open('table')
    const old = tableOf(store, tumbling('10ms'), {
      other: aggregator<Event, number>({ state: 'int', zero: 0, add: s => s }),
    })
    const entry = old.keys.ofText('a')
    const cell = old.cell(0, entry)
    cell.states = [1]
    old.touch(cell)
    await store.write(old.changes(() => undefined))
    const table = tableOf(store, tumbling('10ms'))
    await table.open()
    table.want(0, entry)
    await expect(table.load()).rejects.toThrow(/The store "sums" holds a state with the fingerprint [0-9a-f]{16}/)
  })
})
