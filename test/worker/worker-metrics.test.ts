import { describe, expect, it } from 'vitest'
import type { ProcessStatus } from '../../src/worker/process-status.js'
import { workerMetrics } from '../../src/worker/worker-metrics.js'

function reported(...processes: ProcessStatus[]): ReadonlyMap<string, number> {
  const figures = new Map<string, number>()
  const source = workerMetrics({ processes: () => processes, snapshots: async () => new Map() })
  source.report(({ name, labels }, value, given) => {
    expect(Object.keys(given)).toEqual(labels)
    figures.set(`${name} ${Object.values(given).join(' ')}`, value)
  })
  return figures
}

describe('workerMetrics', () => {
  it('says the state, restarts and silence of each process', () => {
    const now = Date.now()
    const figures = reported(
      { process: 0, state: 'running', since: now, heardAt: now - 3_000, restarts: 2, failures: 1, unanswered: 4 },
      { process: 1, state: 'restarting', since: now, restarts: 7, failures: 7, unanswered: 0 },
    )
    expect(Object.fromEntries([...figures].filter(([name]) => !name.includes('age')))).toEqual({
      'millrace_process_state 0 starting': 0,
      'millrace_process_state 0 running': 1,
      'millrace_process_state 0 restarting': 0,
      'millrace_process_state 0 stopped': 0,
      'millrace_process_restarts_total 0': 2,
      'millrace_process_unanswered_scrapes_total 0': 4,
      'millrace_process_state 1 starting': 0,
      'millrace_process_state 1 running': 0,
      'millrace_process_state 1 restarting': 1,
      'millrace_process_state 1 stopped': 0,
      'millrace_process_restarts_total 1': 7,
      'millrace_process_unanswered_scrapes_total 1': 0,
    })
    expect(figures.get('millrace_process_heartbeat_age_seconds 0')).toBeCloseTo(3, 0)
    expect(figures.has('millrace_process_heartbeat_age_seconds 1')).toBe(false)
  })
})
