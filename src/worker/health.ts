import type { ProcessHealth } from '../runtime/process-health.js'
import type { ProcessStatus } from './process-status.js'

/** From when on a loop or a commit that does not move is stuck, in ms. */
const STALLED_AFTER = 60_000

/** Failures in a row after which starting a process again is taken not to help. */
const CRASH_LOOP = 5

/** A process whose last heartbeat is older says nothing about now, in ms. */
const SILENT_AFTER = 10_000

const seconds = (ms: number) => `${Math.floor(ms / 1_000)} s`

/**
 * Why a worker should be started anew, a sentence each; empty while it is healthy. A process that does not report, or
 * whose loop or commit stalls, for 60 seconds; and one that failed 5 times in a row and is not running, because its
 * restarts do not help. Restoring is no stall, and neither is a warehouse that cannot be reached: rows wait for it.
 */
export function livenessProblems(processes: readonly ProcessStatus[], now: number): readonly string[] {
  return processes.flatMap(status => {
    const { process, state, failures, lastFailure } = status
    if (failures >= CRASH_LOOP && (state === 'starting' || state === 'restarting')) {
      return [`Process ${process} failed ${failures} times in a row. The last time it ${lastFailure}`]
    }
    if (state === 'restarting' || state === 'stopped') return []
    const silentFor = now - (status.heardAt ?? status.since)
    if (silentFor >= STALLED_AFTER) return [`Process ${process} has not reported for ${seconds(silentFor)}.`]
    return (status.heartbeat?.topologies ?? []).flatMap(({ topology, health }) => {
      const stall = health && stallOf(health, now)
      return stall === undefined ? [] : [`Process ${process}: ${stall} of topology "${topology}".`]
    })
  })
}

function stallOf({ restoring, turnedAt, uncommittedSince }: ProcessHealth, now: number): string | undefined {
  if (restoring > 0) return undefined
  if (now - turnedAt >= STALLED_AFTER) return `for ${seconds(now - turnedAt)} nothing moves in the loop`
  if (uncommittedSince === undefined || now - uncommittedSince < STALLED_AFTER) return undefined
  return `for ${seconds(now - uncommittedSince)} nothing is committed`
}

/** Why not all assigned tasks of all processes run, a sentence each; empty when the worker is ready. */
export function readinessProblems(processes: readonly ProcessStatus[], now: number): readonly string[] {
  return processes.flatMap(({ process, state, heardAt, heartbeat }) => {
    if (state !== 'running') return [`Process ${process} is ${state}.`]
    if (heardAt === undefined || now - heardAt >= SILENT_AFTER) return [`Process ${process} does not report.`]
    return (heartbeat?.topologies ?? []).flatMap(({ topology, health }) => {
      const missing = health === undefined ? 'is starting' : missingOf(health)
      return missing === undefined ? [] : [`Process ${process}: topology "${topology}" ${missing}.`]
    })
  })
}

function missingOf({ joined, restoring, sinksWaiting }: ProcessHealth): string | undefined {
  if (!joined) return 'has not joined its group'
  if (restoring > 0) return `restores the state of ${restoring} ${restoring === 1 ? 'task' : 'tasks'}`
  if (sinksWaiting > 0) return `waits for the warehouse with ${sinksWaiting} ${sinksWaiting === 1 ? 'sink' : 'sinks'}`
  return undefined
}
