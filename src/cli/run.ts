import type { Logger } from 'pino'
import type { MetricsSnapshot } from '../metrics/prometheus-metrics.js'
import { MillraceError } from '../model/errors.js'
import { memoryPlan } from '../runtime/memory-plan.js'
import { Supervisor } from '../worker/supervisor.js'
import type { ChildOrder, RunOptions, Work } from './run-options.js'
import type { StopSignal } from './stop-signal.js'
import { serveWorker } from './worker-http.js'

/** This module compiled, or its source where that runs. */
const CHILD = new URL(`./stream-child${import.meta.url.slice(-3)}`, import.meta.url)

/**
 * Decides what runs the topologies of `files`. On Kafka it is always child processes, also for one: their parent answers
 * probes while they are busy, loads neither topologies nor native modules, and starts them again. The embedded log
 * belongs to one process, so there it is this one.
 * @throws MillraceError INVALID_OPTION for several processes on the embedded log and for too little memory; without Kafka,
 * INVALID_TOPOLOGY or LOAD with all problems of all files.
 */
export async function workOf(files: readonly string[], options: RunOptions): Promise<(logger: Logger) => Work> {
  const plan = options.memory === undefined ? undefined : memoryPlan(options.memory, options.processes)
  if (options.kafka !== undefined) return logger => childrenOf(files, options, plan?.heapBytes, logger)
  if (options.processes > 1) {
    throw new MillraceError(
      'INVALID_OPTION',
      `--processes ${options.processes} needs --kafka: the embedded log belongs to one process. Leave --processes out.`,
    )
  }
  const [{ soundTopologies }, { inProcess }] = await Promise.all([
    import('./sound-topologies.js'),
    import('./in-process.js'),
  ])
  return inProcess(await soundTopologies(files), options)
}

/** `heap` bounds the JavaScript heap of each process, in bytes. */
function childrenOf(files: readonly string[], options: RunOptions, heap: number | undefined, logger: Logger): Work {
  const supervisor = new Supervisor<ChildOrder, MetricsSnapshot>({
    module: CHILD,
    ...(heap !== undefined && { nodeOptions: [`--max-old-space-size=${Math.floor(heap / 2 ** 20)}`] }),
    processes: options.processes,
    drainTimeoutMs: options.drainTimeout,
    order: slot => ({ slot, files, options }),
    logger,
  })
  return {
    processes: () => supervisor.processes(),
    snapshots: () => supervisor.snapshots(),
    run: ({ signal, failure }) => Promise.race([supervisor.run(signal), failure]),
  }
}

/**
 * `millrace run FILE…`: runs the topologies until a signal stops them, and serves HTTP meanwhile.
 * @throws MillraceError when something keeps them from starting or going on; HTTP when `--http` cannot be listened on;
 * DRAIN_TIMEOUT when not all was committed in time.
 */
export async function runCommand(
  work: Work,
  http: RunOptions['http'],
  { logger, stop }: { readonly logger: Logger; readonly stop: StopSignal },
): Promise<void> {
  process.title = 'millrace worker'
  const server = http === 'off' ? undefined : await serveWorker(http, work)
  if (server) logger.info(`Health and metrics are at http://${server.address}.`)
  try {
    await work.run(stop)
  } finally {
    await server?.close()
  }
}
