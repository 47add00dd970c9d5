import fc from 'fast-check'
import {
  aggregate,
  aggregator,
  approxDistinct,
  count,
  distinct,
  first,
  last,
  max,
  mean,
  min,
  sum,
  tumbling,
  window,
} from 'millrace'
import { describe, expect, it } from 'vitest'
import { CombinerTarget, TableTarget } from '../../src/runtime/accumulating.js'
import { Combiner, decodePartial } from '../../src/runtime/combiner.js'
import { Format, fingerprintOf } from '../../src/runtime/internal-value.js'
import { KeyCodec } from '../../src/runtime/key-codec.js'
import { MeasureProgram } from '../../src/runtime/measure-program.js'
import { RecordEffects } from '../../src/runtime/record-effects.js'
import { WindowTable } from '../../src/runtime/window-table.js'
import { avroSerde } from '../../src/serde/avro-serde.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'
import type { Measure } from '../../src/topology/measure.js'
import type { AggregateNode } from '../../src/topology/node.js'
import { keyShape, valueShape } from '../../src/topology/shape.js'
import { type Event, events } from './events.js'

const serde = avroSerde(fileRegistry({ schemas: [] }))
const spec = tumbling('10ms')

function programOf(measures: Record<string, Measure<Event, unknown>>) {
  const node = events.pipe(window(spec), aggregate('table', measures)).node as AggregateNode
  const program = MeasureProgram.ofAggregate(node, valueShape(node.inputs[0]!), serde)
  return { program, keys: new KeyCodec(keyShape(node)!, 'utf8', serde), fingerprint: fingerprintOf(program.schema) }
}

interface Input {
  readonly n: number
  readonly at: number
}

/** Adds records by way of a target, at offsets from `offset` on. */
function feed(
  target: CombinerTarget | TableTarget,
  program: MeasureProgram,
  key: ReturnType<KeyCodec['ofText']>,
  records: readonly Input[],
  offset: number,
): void {
  const effects = new RecordEffects()
  for (const [i, { n, at }] of records.entries()) {
    const effect = effects.next(target)
    effect.start = 0
    effect.key = key
    effect.timestamp = at
    effect.at({ timestamp: at, topic: 'events', partition: 0, offset: offset + i, index: 0 })
    program.read({ k: 'a', id: i, n, at }, effect.inputs)
    effects.stage(0, 1)
    effects.apply(0, 1)
    effects.clear()
  }
}

/** The row after partials of these commits were merged, or after the records were added one by one. */
async function rowOf(
  measures: Record<string, Measure<Event, unknown>>,
  commits: readonly (readonly Input[])[],
  combine: boolean,
) {
  const { program, keys, fingerprint } = programOf(measures)
  const table = new WindowTable(
    'table',
    spec,
    program,
    keys,
    fingerprint,
    () => undefined,
    await memoryEngine().open('t'),
  )
  const key = keys.ofText('a')
  const combiner = new Combiner(spec, program, fingerprint)
  let offset = 0
  for (const records of commits) {
    feed(combine ? new CombinerTarget(combiner) : new TableTarget(table), program, key, records, offset)
    offset += records.length
    combiner.flush((_, value) => {
      const partial = decodePartial(value, 0, value.length, program.decoder())
      const cell = table.cell(partial.start, key)
      if (partial.reset) cell.states = undefined
      if (partial.states) program.merge(cell, partial.states, partial.timestamp)
    })
  }
  const cell = table.cell(0, key)
  return cell.states && { row: program.row(cell.states, () => undefined), timestamp: cell.timestamp }
}

const deleting = aggregator<Event, number[]>({
  state: { type: 'array', items: 'long' },
  zero: [],
  add: (list, { n }) => (n === 0 ? null : [...list, n].sort((a, b) => a - b)),
  merge: (a, b) => [...a, ...b].sort((x, y) => x - y),
})

const input = fc.record({ n: fc.integer({ min: -4, max: 4 }), at: fc.nat(9) })
const commits = fc.array(fc.array(input, { maxLength: 6 }), { minLength: 1, maxLength: 5 })

describe('partials merged commit by commit', () => {
  it('give the row of the records one by one, for every built-in aggregate', async () => {
    const measures = {
      c: count<Event>({ where: { n: [1, 2] } }),
      total: sum<Event>('n'),
      least: min<Event, 'n'>('n'),
      most: max<Event, 'n'>('n'),
      average: mean<Event>('n'),
      kinds: distinct<Event>('n'),
      about: approxDistinct<Event>('n'),
      opening: first<Event, 'n'>('n'),
      closing: last<Event, 'n'>('n'),
    }
    await fc.assert(
      fc.asyncProperty(commits, async given => {
        expect(await rowOf(measures, given, true)).toEqual(await rowOf(measures, given, false))
      }),
    )
  })

  it('give it, too, where an aggregator deletes the row in between', async () => {
    await fc.assert(
      fc.asyncProperty(commits, async given => {
        expect(await rowOf({ list: deleting }, given, true)).toEqual(await rowOf({ list: deleting }, given, false))
      }),
    )
  })
})

describe('a combiner', () => {
  const { program, keys, fingerprint } = programOf({ total: sum<Event>('n') })
  const sent = (combiner: Combiner) => {
    const values: ReturnType<typeof decodePartial>[] = []
    combiner.flush((_, value) => {
      expect(value[0]).toBe(Format.partial)
      values.push(decodePartial(value, 0, value.length, program.decoder()))
    })
    return values
  }

  it('hands out a partial a key and window with its records and highest timestamp, and forgets it', () => {
    const combiner = new Combiner(spec, program, fingerprint)
    feed(
      new CombinerTarget(combiner),
      program,
      keys.ofText('a'),
      [
        { n: 1, at: 3 },
        { n: 2, at: 7 },
        { n: 3, at: 5 },
      ],
      0,
    )
    feed(new CombinerTarget(combiner), program, keys.ofText('b'), [{ n: 4, at: 1 }], 0)
    expect(combiner.size).toBe(2)
    expect(sent(combiner).map(({ start, timestamp, records, reset }) => [start, timestamp, records, reset])).toEqual([
      [0, 7, 3, false],
      [0, 1, 1, false],
    ])
    expect(combiner.size).toBe(0)
    expect(sent(combiner)).toEqual([])
  })

  it('sends nothing for records that failed, and nothing after clear', () => {
    const combiner = new Combiner(spec, program, fingerprint)
    combiner.partial(0, keys.ofText('a'))
    expect(sent(combiner)).toEqual([])
    feed(new CombinerTarget(combiner), program, keys.ofText('a'), [{ n: 1, at: 3 }], 0)
    combiner.clear()
    expect(sent(combiner)).toEqual([])
  })
})
