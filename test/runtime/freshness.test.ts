import { describe, expect, it } from 'vitest'
import { type Header, RecordBatchBuilder } from '../../src/model/record-batch.js'
import { EVENT_TIME_HEADER, Freshness, newestEventTime } from '../../src/runtime/freshness.js'

describe('freshness', () => {
  it('is the age of what has waited longest, and stands still while nothing waits', () => {
    const freshness = new Freshness()
    expect(freshness.at(100)).toBeUndefined()
    freshness.arrived(90)
    freshness.arrived(99)
    expect(freshness.at(100)).toBe(10)
    freshness.taken()
    freshness.arrived(105)
    expect(freshness.at(110)).toBe(20)
    freshness.flushed(112)
    expect(freshness.at(112)).toBe(7)
    freshness.taken()
    freshness.flushed(115)
    expect(freshness.at(1_000)).toBe(10)
  })

  it('goes on growing when a flush failed', () => {
    const freshness = new Freshness()
    freshness.arrived(90)
    freshness.taken()
    freshness.arrived(100)
    freshness.failed()
    expect(freshness.at(110)).toBe(20)
    freshness.taken()
    freshness.flushed(120)
    expect(freshness.at(120)).toBe(30)
  })

  it('a flush that carries nothing changes nothing', () => {
    const freshness = new Freshness()
    freshness.arrived(90)
    freshness.taken()
    freshness.flushed(95)
    freshness.taken()
    freshness.flushed(500)
    expect(freshness.at(500)).toBe(5)
  })

  it('is not below 0 for events of the future', () => {
    const freshness = new Freshness()
    freshness.arrived(200)
    expect(freshness.at(100)).toBe(0)
  })
})

describe('the event time of a batch', () => {
  const batchOf = (...records: [timestamp: number, headers: Header[]][]) => {
    const builder = new RecordBatchBuilder('rows', 0)
    for (const [i, [timestamp, headers]] of records.entries())
      builder.add(i, timestamp, Buffer.from('k'), null, headers)
    return builder.build()
  }

  it('is the highest of its rows', () => {
    const row = (time: number): [number, Header[]] => [1_000, [[EVENT_TIME_HEADER, String(time)]]]
    expect(newestEventTime(batchOf(row(10), row(30), row(20)))).toBe(30)
  })

  it('of rows that do not say it is when they were sent', () => {
    expect(newestEventTime(batchOf([1_000, []], [900, []]))).toBe(1_000)
  })
})
