import type { Logger } from 'pino'
import { type PrometheusMetrics, prometheusMetrics } from '../metrics/prometheus-metrics.js'
import type { Topology } from '../topology/node.js'
import { drainDeadline } from '../worker/drain-deadline.js'
import type { ProcessStatus } from '../worker/process-status.js'
import type { RunOptions, Work } from './run-options.js'
import { StreamHost } from './stream-host.js'

const SLOT = 0

/** Runs topologies in this process, as the only one of its worker. */
export async function inProcess(
  topologies: readonly Topology[],
  options: RunOptions,
): Promise<(logger: Logger) => Work> {
  // What Node.js and the operating system say of this process is among the worker's own metrics.
  const metrics = await prometheusMetrics({ process: String(SLOT), defaults: false })
  return logger => workOf(new StreamHost(topologies, options, SLOT, logger, metrics), metrics, options)
}

function workOf(host: StreamHost, metrics: PrometheusMetrics, { drainTimeout }: RunOptions): Work {
  const since = Date.now()
  return {
    processes(): readonly ProcessStatus[] {
      const heartbeat = host.heartbeat()
      const running = heartbeat.topologies.every(({ health }) => health !== undefined)
      const state = running ? 'running' : 'starting'
      return [
        {
          process: SLOT,
          pid: process.pid,
          state,
          since,
          heardAt: Date.now(),
          heartbeat,
          restarts: 0,
          failures: 0,
          unanswered: 0,
        },
      ]
    },
    snapshots: async () => new Map([[SLOT, await metrics.snapshot()]]),
    async run({ signal, failure }) {
      const deadline = drainDeadline(signal, drainTimeout, () => 'this process')
      try {
        await Promise.race([host.run({ drain: signal, failure }), deadline.passed])
      } finally {
        deadline.dispose()
      }
    },
  }
}
