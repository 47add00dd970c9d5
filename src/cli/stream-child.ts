import type { MetricsSnapshot } from '../metrics/prometheus-metrics.js'
import { drainDeadline } from '../worker/drain-deadline.js'
import { ParentLink } from '../worker/parent-link.js'
import { createLogger } from './logger.js'
import type { ChildOrder } from './run-options.js'
import { uncaughtFailure } from './uncaught-failure.js'

const FAILED = 1

/** A process of `millrace run`: runs all topologies of the worker in one slot until the worker says or leaves. */
async function main(): Promise<void> {
  const link = new ParentLink<ChildOrder, MetricsSnapshot>()
  const { failure } = uncaughtFailure()
  const { slot, files, options } = await link.order
  process.title = `millrace process ${slot}`
  const readable = process.stderr.isTTY === true
  const logger = createLogger({ level: options.logLevel, readable }).child({ process: slot })
  const gone = drainDeadline(link.orphaned, options.drainTimeout, () => `process ${slot}`)
  link.orphaned.addEventListener('abort', () => logger.warn('The worker is gone: committing and closing.'))
  try {
    // Only now: the worker is heard while these load.
    const [{ soundTopologies }, { StreamHost }, { prometheusMetrics }] = await Promise.all([
      import('./sound-topologies.js'),
      import('./stream-host.js'),
      import('../metrics/prometheus-metrics.js'),
    ])
    const metrics = await prometheusMetrics({ process: String(slot) })
    const host = new StreamHost(await soundTopologies(files), options, slot, logger, metrics)
    link.report(
      () => host.heartbeat(),
      () => metrics.snapshot(),
    )
    await Promise.race([host.run({ drain: link.drain, failure }), gone.passed])
    process.exit()
  } catch (thrown) {
    if (link.orphaned.aborted) logger.fatal(thrown)
    await link.failed(thrown)
    process.exit(FAILED)
  }
}

void main()
