import {
  aggregate,
  approxDistinct,
  count,
  globalWindow,
  hopping,
  type Output,
  repartition,
  sum,
  to,
  topology,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { describe, expect, test } from 'vitest'
import { validate } from '../../../src/topology/validate.js'
import { events } from '../../operators/events.js'

const byType = events.pipe(repartition('by-type', { by: 'questType' }))
const table = byType.pipe(window(tumbling('1 minute')), aggregate('minute', { c: count(), gold: sum('rewardGold') }))

function problems(first: Output, ...rest: Output[]): readonly string[] {
  return validate(topology('quests', first, ...rest)).map(({ code, message, node }) => `${code} ${node}: ${message}`)
}

describe('split tables', () => {
  test('are good where windows close while their rows may change', () => {
    expect(problems(table.pipe(to(warehouse('s.t', { split: true }))))).toEqual([])
    const hops = byType.pipe(window(hopping('1 minute', { advance: '10 seconds' })), aggregate('hops', { c: count() }))
    expect(problems(hops.pipe(to(warehouse('t', { split: true }))))).toEqual([])
  })

  test('are refused where no window closes, and where rows come when it closed', () => {
    const all = byType.pipe(window(globalWindow()), aggregate('all', { c: count() }))
    expect(problems(all.pipe(to(warehouse('t', { split: true }))))).toEqual([
      'SPLIT to(warehouse) "t" (operator 5): `split` keeps the rows of closed windows apart, and the global window never closes. Leave `split` out, or cut the stream with window(tumbling(\'1 hour\')).',
    ])
    const finals = byType.pipe(window(tumbling('1 minute')), aggregate('f', { c: count() }, { emit: 'final' }))
    expect(problems(finals.pipe(to(warehouse('t', { split: true }))))).toEqual([
      'SPLIT to(warehouse) "t" (operator 5): `split` keeps rows that may still change apart, and "t" has none: its rows come once their window closed (emit: \'final\'), and all of them may be cached. Leave `split` out.',
    ])
  })
})

describe('coarser views', () => {
  test('are refused for lengths that are no multiple of the windows', () => {
    expect(
      problems(table.pipe(to(warehouse('t', { coarser: { a: '90 seconds', b: '1 minute', c: '5 minutes' } })))),
    ).toEqual(
      ['a', 'b'].map(
        (name, i) =>
          `COARSER to(warehouse) "t" (operator 5): The view "${name}" has windows of ${i === 0 ? '90 seconds' : '1 minute'}, which is not a longer multiple of the table's 1 minute. Write a multiple of 1 minute, such as '2 minutes'.`,
      ),
    )
  })

  test('are refused for windows that overlap or never end', () => {
    const coarser = { h: '1 hour' } as const
    const hops = byType.pipe(window(hopping('1 minute', { advance: '20 seconds' })), aggregate('hops', { c: count() }))
    expect(problems(hops.pipe(to(warehouse('t', { coarser }))))).toEqual([
      'COARSER to(warehouse) "t" (operator 5): `coarser` sums windows up, and windows of 1 minute that advance by 20 seconds overlap: a record would be counted 3 times. Send window(tumbling(\'20 seconds\')) to a table of its own and put `coarser` there.',
    ])
    const tiles = byType.pipe(window(hopping('1 minute', { advance: '1 minute' })), aggregate('tiles', { c: count() }))
    expect(problems(tiles.pipe(to(warehouse('t', { coarser }))))).toEqual([])
    const all = byType.pipe(window(globalWindow()), aggregate('all', { c: count() }))
    expect(problems(all.pipe(to(warehouse('t', { coarser }))))).toEqual([
      'COARSER to(warehouse) "t" (operator 5): `coarser` sums windows up, and the global window is one. Leave `coarser` out.',
    ])
  })

  test('are refused where nothing can be summed', () => {
    const players = byType.pipe(window(tumbling('1 minute')), aggregate('p', { players: approxDistinct('userId') }))
    expect(problems(players.pipe(to(warehouse('t', { coarser: { h: '1 hour' } }))))).toEqual([
      'COARSER to(warehouse) "t" (operator 5): `coarser` would sum up nothing: SQL cannot sum up "players". It sums up count, sum, min and max, and mean where the table also holds its sum and its count. Add one of them, or leave `coarser` out.',
    ])
  })
})

describe('names in the warehouse', () => {
  test('are used once, over all sinks', () => {
    const hours = byType.pipe(window(tumbling('1 hour')), aggregate('hour', { c: count() }))
    expect(
      problems(
        table.pipe(to(warehouse('s.t', { split: true, coarser: { t_hour: '1 hour', t_open: '1 day' } }))),
        hours.pipe(to(warehouse('s.t_hour'))),
        hours.pipe(to(warehouse('other.t_closed'))),
      ),
    ).toEqual([
      'DUPLICATE_NAME to(warehouse) "s.t" (operator 5): "s.t_open" would be the open rows of "s.t" (operator 5) and the coarser view of "s.t". Rename one of them.',
      'DUPLICATE_NAME to(warehouse) "s.t_hour" (operator 8): "s.t_hour" would be the coarser view of "s.t" (operator 5) and the table "s.t_hour". Rename one of them.',
    ])
  })

  test('are such that a warehouse takes them, and not that of the offsets', () => {
    const coarser = { Hour: '1 hour', 'other.day': '1 day', millrace_offsets: '2 hours' } as const
    const long = 'a'.repeat(60)
    expect(
      problems(table.pipe(to(warehouse('t', { coarser }))), table.pipe(to(warehouse(long, { split: true })))),
    ).toEqual([
      'ILLEGAL_NAME to(warehouse) "t" (operator 5): "Hour", the coarser view of "t", is no name: write lower-case letters, digits and "_", and no digit first.',
      'ILLEGAL_NAME to(warehouse) "t" (operator 5): "other.day", the coarser view of "t", is no name: write lower-case letters, digits and "_", and no digit first.',
      'DUPLICATE_NAME to(warehouse) "t" (operator 5): "millrace_offsets" is the table in which Millrace keeps its offsets, and would be the coarser view of "t", too. Rename it.',
      `ILLEGAL_NAME to(warehouse) "${long}" (operator 6): "${long}_open", the open rows of "${long}", is no name: write at most 63 characters, it has 65.`,
      `ILLEGAL_NAME to(warehouse) "${long}" (operator 6): "${long}_closed", the closed rows of "${long}", is no name: write at most 63 characters, it has 67.`,
    ])
  })
})

describe('lengths of columns', () => {
  test('are whole numbers of bytes of columns that have bytes', () => {
    const of = (maxBytes: Record<string, number>) =>
      problems(table.pipe(to(warehouse('t', { maxBytes: maxBytes as never }))))
    expect(of({ quest_type: 100 })).toEqual([])
    expect(of({ quest_type: 0.5, gold: 8, golden: 1 })).toEqual([
      'UNKNOWN_COLUMN to(warehouse) "t" (operator 5): `maxBytes` names the column "golden", which the table does not have. Did you mean "gold"? Known are quest_type, window_start, window_end, c, gold.',
      'COLUMN_TYPE to(warehouse) "t" (operator 5): `maxBytes` of "quest_type" is 0.5. Give a whole number of bytes above zero.',
      'COLUMN_TYPE to(warehouse) "t" (operator 5): `maxBytes` limits "gold", which is long: only text and bytes have a length. Leave it out.',
    ])
  })
})
