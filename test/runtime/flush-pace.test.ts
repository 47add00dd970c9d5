import { describe, expect, it } from 'vitest'
import { FlushPace } from '../../src/runtime/flush-pace.js'
import { FlushPressure } from '../../src/runtime/flush-pressure.js'

describe('the pace of flushes', () => {
  it('is half of the freshness while flushes are quick, and less when they are slow', () => {
    const pace = new FlushPace(60_000)
    expect(pace.interval(1)).toBe(30_000)
    pace.flushed(1_000)
    expect(pace.interval(1)).toBe(30_000)
    pace.flushed(10_000)
    expect(pace.interval(1)).toBe(25_000)
    pace.flushed(100_000)
    expect(pace.interval(1)).toBe(6_000)
    for (let i = 0; i < 30; i++) pace.flushed(100)
    expect(pace.interval(1)).toBe(30_000)
    expect(pace.interval(4)).toBe(120_000)
  })
})

describe('the pressure on a session', () => {
  it('doubles up to 8 while the session is at work most of the time, and comes back', () => {
    const pressure = new FlushPressure(0)
    let now = 0
    const window = (busyMs: number) => {
      pressure.began(now)
      pressure.ended(now + busyMs)
      now += 10_000
      return pressure.factor(now)
    }
    expect([window(4_000), window(9_000), window(9_000), window(9_000), window(9_000)]).toEqual([1, 2, 4, 8, 8])
    expect([window(6_000), window(1_000), window(0), window(0), window(0)]).toEqual([8, 4, 2, 1, 1])
  })

  it('counts work that is still under way, and failures', () => {
    const pressure = new FlushPressure(0)
    pressure.began(500)
    expect(pressure.factor(10_000)).toBe(2)
    pressure.ended(11_000)
    expect(pressure.factor(20_000)).toBe(1)
    pressure.failed()
    expect(pressure.factor(30_000)).toBe(2)
  })
})
