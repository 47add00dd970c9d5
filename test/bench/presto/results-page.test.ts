import { describe, expect, it } from 'vitest'
import type { Cost } from '../../../bench/presto/figures.js'
import { figures } from '../../../bench/presto/figures.js'
import { plots } from '../../../bench/presto/plots.js'
import type { PrestoResult } from '../../../bench/presto/presto.js'
import { questions } from '../../../bench/presto/questions.js'
import { resultsPage } from '../../../bench/presto/results-page.js'

const cost = (scale: number): Cost => {
  const walls = [1, 1.1, 1.2, 1.3, 9].map(wall => wall * scale)
  return { trinoCpu: 6 * scale, postgresCpu: 4 * scale, blocks: 200_000 * scale, walls, rows: 1e7 * scale, sessions: 1 }
}
const asked = questions(1e7, 'rollups').map(({ name, title, rolledUp }) => {
  return { name, title, raw: cost(1), ...(rolledUp !== undefined && { rolledUp: cost(0.005) }), wrongAnswers: 0 }
})
const error = { rms: 0.018, worst: 0.051, wrongCells: 0 }
const result: PrestoResult = {
  events: 1e7,
  runs: 5,
  figures: figures(asked, 1),
  asked,
  estimates: { raw: error, rolledUp: error },
  pipeline: { cpuSeconds: 50, peakRssMb: 400, postgresCpuSeconds: 5, seconds: 60 },
  partitions: { byUser: [10, 30], byQuestType: [15, 25], combined: [2, 3] },
  sizes: [{ table: 'quest_events', rows: 1e7, megabytes: 2_000 }],
  freshness: {
    liveSeconds: 150,
    liveRate: 2_000,
    freshness: '60 seconds',
    events: 300_000,
    course: [
      { at: 0, age: 0 },
      { at: 60, age: 58.5 },
    ],
    types: [{ questType: 'hunt', events: 83_000, median: 30, p95: 57, worst: 58.5 }],
  },
  seconds: 700,
}

describe('the page of results', () => {
  const page = resultsPage(result)

  it('has the figures, and what it took to get them', () => {
    expect(page).toContain('npm run bench -- presto --events 10000000')
    expect(page).toContain('| CPU | 200 × less |')
    expect(page).toContain('| coverage | 83 % |')
    expect(page).toContain('| blended saving of CPU | 83 % |')
    expect(page).toContain('| hunt | 83,000 | 30.0 s | 57.0 s | 58.5 s |')
    expect(page).toContain('| keyed by user | 40 | 30 | 1.50 |')
    expect(page).toContain('pays from run 1 of the questions on (0.55)')
    expect(page).not.toMatch(/undefined|NaN|Infinity|\$\{/)
  })

  it('has a row for each question', () => {
    for (const { title } of asked) expect(page).toContain(`| ${title} |`)
    expect(page.match(/\| no rollup \|/g)).toHaveLength(2)
  })

  it('shows plots that need neither a light nor a dark background', async () => {
    const drawn = await plots(result)
    const shown = [...page.matchAll(/!\[[^\]]+\]\(results\/([^)]+)\)/g)].map(([, file]) => file)
    expect(shown.sort()).toEqual([...drawn.keys()].sort())
    for (const svg of drawn.values()) {
      expect(svg).toMatch(/^<svg /)
      expect(svg).not.toMatch(/fill="(black|white|#000|#fff)/)
      expect(svg).not.toContain('NaN')
    }
    expect(drawn.get('cpu.svg')).toContain('median duration')
    expect(drawn.get('freshness.svg')).toContain('two-minute SLA')
  })
})

describe('the questions', () => {
  it('are twelve, of which ten have a rollup', () => {
    const all = questions(1e7, 'rollups')
    expect(all).toHaveLength(12)
    expect(all.filter(({ rolledUp }) => rolledUp !== undefined)).toHaveLength(10)
    for (const { raw, rolledUp = '' } of all) {
      expect(raw).toContain('FROM quest_events')
      expect(rolledUp).not.toContain('quest_events')
    }
  })
})
