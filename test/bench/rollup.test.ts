import { describe, expect, inject, it } from 'vitest'
import { processFiguresAvailable } from '../../bench/process-tree.js'
import { rollup } from '../../bench/rollup.js'

const kafka = inject('kafka') ?? ''

describe.skipIf(kafka === '' || processFiguresAvailable() !== undefined)('the roll-up benchmark', () => {
  it.each([
    ['exactly_once', '1 day'],
    ['at_least_once', '30 seconds'],
  ] as const)(
    'measures a worker, %s, and finds every cell',
    async (guarantee, grace) => {
      const lines: string[] = []
      const result = await rollup({
        kafka,
        events: 20_000,
        guarantee,
        grace,
        commitInterval: '100ms',
        report: line => lines.push(line),
      })
      expect(lines.filter(line => line.startsWith('Wrong'))).toEqual([])
      expect(result).toMatchObject({ wrongCells: 0, late: 0, events: 20_000, cells: 211 })
      expect(result.accounting).toMatchObject({ read: 20_000, aggregated: 20_000 })
      expect(result.cpuSeconds).toBeGreaterThan(0.1)
      expect(result.peakRssMb).toBeGreaterThan(30)
      expect(result.repartition.records).toBeGreaterThan(0)
      expect(result.changelog.records).toBeGreaterThanOrEqual(211)
      expect(result.output.records).toBeGreaterThanOrEqual(211)
    },
    120_000,
  )
})
