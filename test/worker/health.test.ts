import { describe, expect, it } from 'vitest'
import type { ProcessHealth } from '../../src/runtime/process-health.js'
import { livenessProblems, readinessProblems } from '../../src/worker/health.js'
import type { ProcessStatus } from '../../src/worker/process-status.js'

const NOW = 10_000_000
const MINUTE = 60_000

const health = (fields: Partial<ProcessHealth> = {}): ProcessHealth => ({
  turnedAt: NOW,
  joined: true,
  running: 4,
  restoring: 0,
  sinksOpen: 2,
  sinksWaiting: 0,
  ...fields,
})

const running = (fields: Partial<ProcessHealth> = {}, status: Partial<ProcessStatus> = {}): ProcessStatus => ({
  process: 0,
  state: 'running',
  since: NOW - 10 * MINUTE,
  heardAt: NOW,
  heartbeat: { topologies: [{ topology: 'quest-minute', health: health(fields) }] },
  restarts: 0,
  failures: 0,
  unanswered: 0,
  ...status,
})

const waiting = (state: ProcessStatus['state'], status: Partial<ProcessStatus> = {}): ProcessStatus => ({
  process: 3,
  state,
  since: NOW - 1_000,
  restarts: 0,
  failures: 0,
  unanswered: 0,
  ...status,
})

const liveness = (...processes: ProcessStatus[]) => livenessProblems(processes, NOW)
const readiness = (...processes: ProcessStatus[]) => readinessProblems(processes, NOW)

describe('livenessProblems', () => {
  it('finds nothing in processes that turn and commit', () => {
    expect(liveness(running(), running({ uncommittedSince: NOW - 5_000 }, { process: 1 }))).toEqual([])
  })

  it.each([
    ['a heartbeat', (ms: number) => running({}, { heardAt: NOW - ms }), /^Process 0 has not reported for 60 s\.$/],
    [
      'the loop',
      (ms: number) => running({ turnedAt: NOW - ms }),
      /^Process 0: for 60 s nothing moves in the loop of topology "quest-minute"\.$/,
    ],
    [
      'a commit',
      (ms: number) => running({ uncommittedSince: NOW - ms }),
      /^Process 0: for 60 s nothing is committed of topology "quest-minute"\.$/,
    ],
    [
      'a process that was started',
      (ms: number) => waiting('starting', { since: NOW - ms }),
      /^Process 3 has not reported for 60 s\.$/,
    ],
  ])('waits 60 seconds for %s', (_, at, message) => {
    expect(liveness(at(MINUTE - 1))).toEqual([])
    expect(liveness(at(MINUTE))).toEqual([expect.stringMatching(message)])
  })

  it('names each process and topology that stalls', () => {
    const two = running(
      {},
      {
        process: 1,
        heartbeat: {
          topologies: [
            { topology: 'a', health: health({ turnedAt: 0 }) },
            { topology: 'b', health: health({ turnedAt: 0 }) },
            { topology: 'c', health: health() },
          ],
        },
      },
    )
    expect(liveness(running({ turnedAt: 0 }), two)).toEqual([
      expect.stringMatching(/^Process 0:.*"quest-minute"/),
      expect.stringMatching(/^Process 1:.*"a"/),
      expect.stringMatching(/^Process 1:.*"b"/),
    ])
  })

  it('a restore is no stall, whatever it takes', () => {
    expect(liveness(running({ restoring: 1, turnedAt: 0, uncommittedSince: 0 }))).toEqual([])
  })

  it('a start that waits for a broker is no stall while the process reports', () => {
    const starting = { heardAt: NOW, heartbeat: { topologies: [{ topology: 'quest-minute' }] }, since: 0 }
    expect(liveness(waiting('starting', starting))).toEqual([])
  })

  it('a process that is to be started again is no problem until restarts have not helped 5 times', () => {
    const failed = (failures: number) => ({ failures, lastFailure: 'failed with LOG: no broker answers.' })
    expect(liveness(waiting('restarting', failed(4)), waiting('starting', failed(4)))).toEqual([])
    for (const state of ['restarting', 'starting'] as const) {
      expect(liveness(waiting(state, failed(5)))).toEqual([
        'Process 3 failed 5 times in a row. The last time it failed with LOG: no broker answers.',
      ])
    }
    expect(liveness(running({}, failed(5)))).toEqual([])
  })

  it('a process that has left is no problem', () => {
    expect(liveness(waiting('stopped', { since: 0 }))).toEqual([])
  })
})

describe('readinessProblems', () => {
  it('is content when every process has joined and runs what it owns, also where it owns nothing', () => {
    expect(readiness(running(), running({ running: 0, sinksOpen: 0 }, { process: 1 }))).toEqual([])
  })

  it.each(['starting', 'restarting', 'stopped'] as const)('a process that is %s is not ready', state => {
    expect(readiness(running(), waiting(state))).toEqual([`Process 3 is ${state}.`])
  })

  it.each([
    [{ joined: false }, 'has not joined its group'],
    [{ restoring: 1 }, 'restores the state of 1 task'],
    [{ restoring: 2 }, 'restores the state of 2 tasks'],
    [{ sinksWaiting: 1 }, 'waits for the warehouse with 1 sink'],
    [{ sinksWaiting: 3 }, 'waits for the warehouse with 3 sinks'],
  ])('%j is not ready', (fields, words) => {
    expect(readiness(running(fields))).toEqual([`Process 0: topology "quest-minute" ${words}.`])
  })

  it('a process that says nothing for 10 seconds is not ready', () => {
    expect(readiness(running({}, { heardAt: NOW - 9_999 }))).toEqual([])
    expect(readiness(running({}, { heardAt: NOW - 10_000 }))).toEqual(['Process 0 does not report.'])
  })
})
