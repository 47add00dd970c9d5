import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { extendPlan, readPlan, writePlan } from '../../src/cli/start-plan.js'

const NOW = Date.UTC(2026, 10, 1, 12)
const SIX_HOURS = 6 * 3_600_000

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-plan-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true })
})

function first() {
  return extendPlan(undefined, { seed: undefined, have: 0, wanted: 1_000, now: NOW })
}

describe('extendPlan', () => {
  it('spreads the first events over the six hours before the first start', () => {
    expect(first()).toEqual({
      seed: 42,
      segments: [{ from: 0, to: 1_000, start: NOW - SIX_HOURS, spanMs: SIX_HOURS }],
    })
  })

  it.each([
    ['nothing was made', 0],
    ['some were made', 400],
    ['all were made', 1_000],
  ])('stays as it is when it reaches far enough: %s', (_, have) => {
    const plan = first()
    expect(extendPlan(plan, { seed: 42, have, wanted: 1_000, now: NOW + 5_000 })).toBe(plan)
    expect(extendPlan(plan, { seed: undefined, have, wanted: 10, now: NOW + 5_000 })).toBe(plan)
  })

  it('puts more events into the time since the first start', () => {
    const longer = extendPlan(first(), { seed: undefined, have: 400, wanted: 1_500, now: NOW + 60_000 })
    expect(longer.segments).toEqual([...first().segments, { from: 1_000, to: 1_500, start: NOW, spanMs: 60_000 }])
    const atOnce = extendPlan(longer, { seed: undefined, have: 1_500, wanted: 1_600, now: NOW + 10_000 })
    expect(atOnce.segments.at(-1)).toEqual({ from: 1_500, to: 1_600, start: NOW + 60_000, spanMs: 1 })
  })

  it('begins behind events that were there before the plan', () => {
    const { segments } = extendPlan(undefined, { seed: 7, have: 300, wanted: 1_000, now: NOW })
    expect(segments).toEqual([{ from: 300, to: 1_000, start: NOW - SIX_HOURS, spanMs: SIX_HOURS }])
  })

  it('refuses another seed than the kept one', () => {
    expect(() => extendPlan(first(), { seed: 43, have: 0, wanted: 1, now: NOW })).toThrow(
      'The events in this folder have the seed 42, and --seed is 43. Leave --seed out, or take another --state.',
    )
  })
})

describe('the plan file', () => {
  it('is written whole, and read back', () => {
    const file = join(directory, 'state', 'start.json')
    expect(readPlan(file)).toBeUndefined()
    writePlan(file, first())
    expect(readPlan(file)).toEqual(first())
    expect(readdirSync(join(directory, 'state'))).toEqual(['start.json'])
  })

  it('what a crash left of a write does not matter', () => {
    const file = join(directory, 'start.json')
    writePlan(file, first())
    writeFileSync(`${file}.new`, '{"seed":')
    expect(readPlan(file)).toEqual(first())
    writePlan(file, { ...first(), seed: 5 })
    expect(readPlan(file)?.seed).toBe(5)
    expect(existsSync(`${file}.new`)).toBe(false)
  })

  it('names a file that cannot be read', () => {
    const file = join(directory, 'start.json')
    writeFileSync(file, 'seed 42')
    expect(() => readPlan(file)).toThrow(`${file}, which holds the seed and the times of the events, cannot be read`)
  })
})
