import type { MetricDefinition, MetricSource } from '../ports/metrics.js'
import { PROCESS_STATES, type WorkerView } from './process-status.js'

const STATE: MetricDefinition<'process' | 'state'> = {
  name: 'millrace_process_state',
  help: '1 for the state that a process of the worker is in, 0 for the others.',
  type: 'gauge',
  labels: ['process', 'state'],
}

const RESTARTS: MetricDefinition<'process'> = {
  name: 'millrace_process_restarts_total',
  help: 'How often a process of the worker was started again after it ended unexpectedly.',
  type: 'counter',
  labels: ['process'],
}

const HEARTBEAT_AGE: MetricDefinition<'process'> = {
  name: 'millrace_process_heartbeat_age_seconds',
  help: 'Time since a process of the worker last reported; it reports every second.',
  type: 'gauge',
  labels: ['process'],
}

const UNANSWERED: MetricDefinition<'process'> = {
  name: 'millrace_process_unanswered_scrapes_total',
  help: 'How often a process of the worker did not answer in time, so that a scrape lacks its series.',
  type: 'counter',
  labels: ['process'],
}

/** What a worker knows of its processes, whether they answer or not. */
export function workerMetrics(view: WorkerView<unknown>): MetricSource {
  return {
    report(report) {
      for (const { process: slot, state: current, restarts, unanswered, heardAt } of view.processes()) {
        const process = String(slot)
        for (const state of PROCESS_STATES) report(STATE, state === current ? 1 : 0, { process, state })
        report(RESTARTS, restarts, { process })
        report(UNANSWERED, unanswered, { process })
        if (heardAt !== undefined) report(HEARTBEAT_AGE, (Date.now() - heardAt) / 1_000, { process })
      }
    },
  }
}
