import avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { avroCodec } from '../../src/serde/avro-codec.js'
import type { Aggregation, Position } from '../../src/topology/measure.js'

/** An input of an aggregation, and where it was read. */
export interface Event<I> {
  readonly input: I
  readonly at: Position
}

/** A position for tests that do not look at it. */
export const ANYWHERE: Position = { timestamp: 0, topic: 'in', partition: 0, offset: 0, index: 0 }

/** Inputs at positions that are all different but collide in each of their parts. */
function events<I>(inputs: fc.Arbitrary<I>, maxLength = 30): fc.Arbitrary<Event<I>[]> {
  const position = fc.record({
    timestamp: fc.nat(3),
    topic: fc.constantFrom('a', 'b', '\u{1f600}', '\uff5e'),
    partition: fc.nat(2),
    offset: fc.nat(30),
    index: fc.nat(2),
  })
  return fc.uniqueArray(fc.record({ input: inputs, at: position }), {
    maxLength,
    selector: ({ at }) => JSON.stringify(at),
  })
}

/** The state of these events, added one by one. */
export function stateOf<I>(aggregation: Aggregation, list: readonly Event<I>[]): unknown {
  let state = aggregation.zero()
  for (const { input, at } of list) state = aggregation.add(state, input, at)
  return state
}

/** The result of these inputs, added one by one. */
export function resultOf(aggregation: Aggregation, inputs: readonly unknown[]): unknown {
  return aggregation.result(
    stateOf(
      aggregation,
      inputs.map(input => ({ input, at: ANYWHERE })),
    ),
  )
}

function stateSchema({ stateSchema: type, zeroDefault }: Aggregation) {
  return { type: 'record', name: 'State', fields: [{ name: 'm', type, default: zeroDefault }] }
}

/** Encodes and decodes a state as avsc does when it is left to itself. */
export function stateBytes(aggregation: Aggregation): {
  bytes(state: unknown): string
  trip(state: unknown): unknown
} {
  const type = avsc.Type.forSchema(stateSchema(aggregation) as avsc.Schema)
  return {
    bytes: state => type.toBuffer({ m: aggregation.encode(state) }).toString('hex'),
    trip: state => aggregation.decode(type.fromBuffer(type.toBuffer({ m: aggregation.encode(state) })).m),
  }
}

/**
 * The laws of an aggregation that merges (DESIGN section 3): a commutative monoid whose states have one encoding, and whose
 * result is what `model` answers for the inputs in any order.
 */
export function mergeLaws<I>(
  name: string,
  aggregation: Aggregation,
  inputs: fc.Arbitrary<I>,
  model: (list: readonly Event<I>[]) => unknown,
  runs = 150,
): void {
  describe(name, () => {
    const { bytes, trip } = stateBytes(aggregation)
    const list = events(inputs)
    const of = (events: readonly Event<I>[]) => stateOf(aggregation, events)
    const merge = (a: unknown, b: unknown) => aggregation.merge(a, b)

    it('gives the result of its model', () => {
      fc.assert(
        fc.property(list, events => {
          expect(aggregation.result(of(events))).toEqual(model(events))
          expect(aggregation.result(trip(of(events)))).toEqual(model(events))
        }),
        { numRuns: runs },
      )
    })

    it('merges associatively', () => {
      fc.assert(
        fc.property(list, list, list, (a, b, c) => {
          expect(bytes(merge(merge(of(a), of(b)), of(c)))).toBe(bytes(merge(of(a), merge(of(b), of(c)))))
        }),
        { numRuns: runs },
      )
    })

    it('merges commutatively', () => {
      fc.assert(
        fc.property(list, list, (a, b) => {
          expect(bytes(merge(of(a), of(b)))).toBe(bytes(merge(of(b), of(a))))
        }),
        { numRuns: runs },
      )
    })

    it('has zero as identity', () => {
      fc.assert(
        fc.property(list, events => {
          expect(bytes(merge(of(events), aggregation.zero()))).toBe(bytes(of(events)))
          expect(bytes(merge(aggregation.zero(), of(events)))).toBe(bytes(of(events)))
        }),
        { numRuns: runs },
      )
    })

    it('adds as it merges states of one record', () => {
      fc.assert(
        fc.property(list, events => {
          const merged = events.map(event => of([event])).reduce(merge, aggregation.zero())
          expect(bytes(merged)).toBe(bytes(of(events)))
        }),
        { numRuns: runs },
      )
    })

    it('has the same bytes in any order of adding, merging, storing and loading', () => {
      fc.assert(
        fc.property(
          list,
          fc.array(fc.record({ part: fc.nat(3), rank: fc.nat(), stored: fc.boolean() }), { minLength: 30 }),
          (events, plan) => {
            const parts: Event<I>[][] = [[], [], [], []]
            const shuffled = events.map((event, i) => ({ event, ...plan[i]! })).sort((a, b) => a.rank - b.rank)
            for (const { event, part } of shuffled) parts[part]!.push(event)
            const states = parts.map((part, i) => (plan[i]!.stored ? trip(of(part)) : of(part)))
            const all = states.reduceRight(merge)
            expect(bytes(trip(all))).toBe(bytes(of(events)))
            expect(bytes(all)).toBe(bytes(of(events)))
          },
        ),
        { numRuns: runs },
      )
    })

    it('keeps its state through the serde of stores and topics', () => {
      const codec = avroCodec(stateSchema(aggregation))
      fc.assert(
        fc.property(list, events => {
          const encoded = codec.encode({ m: aggregation.encode(of(events)) })
          const decoded = codec.decode(encoded) as { m: unknown }
          expect(bytes(aggregation.decode(decoded.m))).toBe(bytes(of(events)))
        }),
        { numRuns: runs },
      )
    })

    it('starts at zero where old state lacks it', () => {
      const reader = avsc.Type.forSchema(stateSchema(aggregation) as avsc.Schema)
      const writer = avsc.Type.forSchema({ type: 'record', name: 'State', fields: [] })
      const read = reader.fromBuffer(writer.toBuffer({}), reader.createResolver(writer)) as { m: unknown }
      expect(bytes(aggregation.decode(read.m))).toBe(bytes(aggregation.zero()))
    })

    it('is frozen', () => {
      expect(Object.isFrozen(aggregation)).toBe(true)
    })
  })
}
