import { describe, expect, it } from 'vitest'
import type { Proof } from '../../src/cli/proof.js'
import { failuresOf, jsonLine, reportText, type StartResult } from '../../src/cli/start-report.js'
import { noAccounting } from '../../src/runtime/accounting.js'

const proof: Proof = {
  records: 1_000,
  late: 2,
  cells: 40,
  wrongCells: 0,
  missingCells: 0,
  extraCells: 0,
  rows: 40,
  meanPlayersError: 0.011,
  worstPlayersError: 0.05,
  largest: [
    {
      row: {
        quest_type: 'hunt',
        window_start: new Date(Date.UTC(2026, 10, 1, 12)),
        events: 1_234,
        completions: 5,
        gold: 60_000n,
        slowest_ms: 599_000,
        players: 99,
      },
      players: 100,
    },
  ],
  differences: [],
}

function result(given: { proof?: Partial<Proof>; accounting?: Partial<StartResult['accounting']> } = {}): StartResult {
  return {
    accounting: { ...noAccounting(), read: 1_000, aggregated: 998, late: 2, ...given.accounting },
    proof: { ...proof, ...given.proof },
    seconds: 12.3456,
    cpuSeconds: 7.891,
    peakRssMb: 512.7,
  }
}

describe('failuresOf', () => {
  it('is empty where all agrees', () => {
    expect(failuresOf(result())).toEqual([])
  })

  it.each([
    ['a difference', { proof: { differences: ['The row is wrong.'], wrongCells: 1 } }, 'The row is wrong.'],
    [
      'a record without an outcome',
      { accounting: { aggregated: 997 } },
      '1000 records were read, and 999 have an outcome.',
    ],
    ['a record that was not read', { proof: { records: 1_001 } }, '1000 records were read, and the log holds 1001.'],
    ['a late record too many', { proof: { late: 1 } }, '2 records were counted as late, and by the log 1 are.'],
    [
      'a biased estimate',
      { proof: { meanPlayersError: 0.024 } },
      'The mean error of players is 2.4 %, above its standard error of 2.3 %.',
    ],
  ])('names %s', (_, given, sentence) => {
    expect(failuresOf(result(given))).toEqual([sentence])
    expect(reportText(result(given))).toContain(`The proof fails:\n  ${sentence}`)
  })
})

describe('jsonLine', () => {
  it('is one line with the figures of the run', () => {
    expect(jsonLine(result())).toBe(
      '{"read":1000,"aggregated":998,"filtered":0,"late":2,"deadLettered":0,"skipped":0,"cells":40,"wrongCells":0,"missingCells":0,"extraCells":0,"rawRows":1000,"rollupRows":40,"seconds":12.35,"cpuSeconds":7.89,"peakRssMb":513}',
    )
  })
})

describe('reportText', () => {
  it('shows rows beside the exact number of players, and the proof', () => {
    const text = reportText(result())
    expect(text).toMatch(/hunt .* 2026-11-01T12:00Z .* 1,234 .* 5 .* 60,000 .* 599,000 .* 99 .* 100 /)
    expect(text).toContain('40 cells compared: 0 wrong, 0 missing, 0 extra.')
    expect(text).toContain('Read 1,000 = aggregated 998 + filtered 0 + late 2 + dead-lettered 0 + skipped 0.')
    expect(text).toContain('reads 1,000 raw events, or 40 rows rolled up: 25 times fewer.')
    expect(text.endsWith('The proof holds: every row is what its events say.')).toBe(true)
  })

  it('says so when there is nothing', () => {
    const nothing = { records: 0, late: 0, cells: 0, rows: 0, meanPlayersError: 0, largest: [] }
    const text = reportText(result({ proof: nothing, accounting: { read: 0, aggregated: 0, late: 0 } }))
    expect(text).toContain('reads 0 raw events, or 0 rows rolled up.')
    expect(text).toContain('The proof holds')
  })
})
