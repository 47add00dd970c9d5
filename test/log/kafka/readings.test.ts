import { describe, expect, it } from 'vitest'
import { Readings } from '../../../src/log/kafka/readings.js'
import { type RecordBatch, RecordBatchBuilder, valueBytesAt } from '../../../src/model/record-batch.js'

const at = (partition: number) => ({ topic: 't', partition })
const batch = (partition: number, ...offsets: number[]): RecordBatch => {
  const builder = new RecordBatchBuilder('t', partition)
  for (const offset of offsets) builder.add(offset, 7, null, Buffer.from(`${offset}`))
  return builder.build()
}
const offsetsOf = (readings: Readings, max = 100) =>
  readings.take(max).batches.map(batch => [batch.partition, ...batch.offsets])

describe('readings', () => {
  it('hand out at most what is asked for, in order, and keep the rest', () => {
    const readings = new Readings()
    readings.start({ ...at(0), offset: 4 })
    readings.start({ ...at(1), offset: 0 })
    readings.keep([batch(0, 4, 5), batch(1, 0, 1, 2), batch(2, 9)])
    expect(offsetsOf(readings, 3)).toEqual([
      [0, 4, 5],
      [1, 0],
    ])
    const { batches } = readings.take(100)
    expect(batches.map(({ partition, offsets }) => [partition, ...offsets])).toEqual([[1, 1, 2]])
    expect(valueBytesAt(batches[0]!, 1)?.toString()).toBe('2')
  })

  it('drop what was taken before and comes again, and what comes from before a move', () => {
    const readings = new Readings()
    readings.start({ ...at(0), offset: 0 })
    readings.keep([batch(0, 0, 1)])
    readings.keep([batch(0, 1, 2)])
    expect(readings.positions()).toEqual([{ ...at(0), offset: 3 }])
    expect(offsetsOf(readings)).toEqual([
      [0, 0, 1],
      [0, 2],
    ])
    readings.move({ ...at(0), offset: 10 })
    readings.keep([batch(0, 3, 10)])
    expect(offsetsOf(readings)).toEqual([[0, 10]])
  })

  it('hold back what belongs to a paused partition', () => {
    const readings = new Readings()
    readings.start({ ...at(0), offset: 0 })
    readings.keep([batch(0, 0)])
    expect(readings.setPaused([at(0), at(5)], true)).toEqual([at(0)])
    readings.reachedEnd({ ...at(0), offset: 1 })
    expect(readings.take(10)).toEqual({ batches: [], ends: [] })
    readings.setPaused([at(0)], false)
    expect(readings.take(10).ends).toEqual([{ ...at(0), offset: 1 }])
  })

  it('report an end once, behind trailing records that are not delivered, and not one that was passed', () => {
    const readings = new Readings()
    readings.start({ ...at(0), offset: 0 })
    readings.reachedEnd({ ...at(0), offset: 0 })
    expect(readings.take(10).ends).toEqual([{ ...at(0), offset: 0 }])
    expect(readings.take(10).ends).toEqual([])
    expect(readings.underWay()).toEqual([])
    readings.keep([batch(0, 0)])
    readings.reachedEnd({ ...at(0), offset: 3 })
    expect(readings.take(10).ends).toEqual([{ ...at(0), offset: 3 }])
    readings.reachedEnd({ ...at(0), offset: 3 })
    expect(readings.take(10).ends).toEqual([])
    readings.keep([batch(0, 4, 5)])
    expect(readings.take(1).ends).toEqual([])
    expect(readings.take(1).ends).toEqual([])
    expect(readings.underWay()).toEqual([{ ...at(0), offset: 6 }])
  })
})
