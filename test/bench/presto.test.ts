import { describe, expect, inject, it } from 'vitest'
import { presto } from '../../bench/presto/presto.js'
import { processFiguresAvailable } from '../../bench/process-tree.js'
import { postgresAvailable } from '../services/postgres.js'
import { trinoAvailable } from '../services/trino.js'

const kafka = inject('kafka') ?? ''
const reason = processFiguresAvailable() ?? postgresAvailable() ?? trinoAvailable()

describe.skipIf(kafka === '' || reason !== undefined)('twelve questions to Trino', () => {
  it('have the same answers from raw events and from the tables of a worker', async () => {
    const result = await presto({
      kafka,
      events: 50_000,
      runs: 1,
      liveSeconds: 8,
      liveRate: 500,
      freshness: '2 seconds',
      report: () => undefined,
    })
    expect(result.figures).toMatchObject({ questions: 12, answerable: 10, wrongAnswers: 0 })
    expect(result.figures.coverage).toBeGreaterThan(0.5)
    expect(result.figures.peakPipelineSessions).toBe(1)
    // A scan of raw events costs more than the tables even at this size, at least in what Trino itself does.
    const byHour = result.asked.find(({ name }) => name === 'events by hour')
    expect(byHour?.raw).toMatchObject({ rows: 50_000 })
    expect(byHour?.rolledUp?.rows).toBeLessThanOrEqual(20 * 168)
    for (const { raw } of result.asked) {
      expect(raw.blocks).toBeGreaterThan(0)
      expect(raw.trinoCpu).toBeGreaterThan(0)
    }
    expect(result.asked.some(({ raw }) => raw.postgresCpu > 0)).toBe(true)
    expect(result.estimates?.rolledUp).toMatchObject({ wrongCells: 0 })
    expect(result.partitions.byUser.reduce((sum, records) => sum + records, 0)).toBe(50_000)
    expect(result.partitions.combined.reduce((sum, records) => sum + records, 0)).toBeGreaterThan(0)
    expect(result.sizes.map(({ rows }) => rows)).toEqual([50_000, expect.any(Number), expect.any(Number), 140, 1_120])
    expect(result.freshness.events).toBe(4_000)
    expect(result.freshness.course.length).toBeGreaterThan(2)
    expect(result.pipeline.cpuSeconds).toBeGreaterThan(0.1)
  }, 600_000)
})
