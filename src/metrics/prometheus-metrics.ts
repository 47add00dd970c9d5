import type {
  Histogram as ClientHistogram,
  Counter,
  Gauge,
  MetricObjectWithValues,
  MetricValue,
  Registry,
} from 'prom-client'
import type { Histogram, MetricDefinition, MetricLabels, MetricSource, Metrics, Report } from '../ports/metrics.js'

/** All series of one process as plain data, which survives JSON. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[]

/** Metrics of one process. */
export interface PrometheusMetrics extends Metrics {
  /** All figures as of now. Sources that do not answer in time say what they knew before. */
  snapshot(): Promise<MetricsSnapshot>
}

export interface PrometheusMetricsOptions {
  /** Value of the label `process` of every series, such as the slot of a stream process: no two of a worker share it. */
  readonly process: string
  /** Figures of Node.js and of the operating system's process, too; default true. */
  readonly defaults?: boolean
}

/** Longest wait for sources that have to ask somebody else, in ms: Prometheus' own limit is 10 seconds by default. */
const REFRESH_AT_MOST = 2_000

/** Wait between two looks at the event loop, in ms. */
const EVENT_LOOP_PRECISION = 50

/** Defaults of prom-client that `promtool check metrics` refuses (a gauge is no `_total`), and 27 series that nobody reads. */
const UNWANTED = /^nodejs_(active_\w+_total|heap_space_\w+)$/

/** A class of prom-client's metrics. */
type MetricClass<M> = new (
  configuration: Pick<MetricDefinition, 'name' | 'help'> & {
    readonly labelNames: readonly string[]
    readonly registers: Registry[]
    readonly buckets?: number[]
  },
) => M

/** Metrics of this process for Prometheus. prom-client is loaded here. */
export async function prometheusMetrics(options: PrometheusMetricsOptions): Promise<PrometheusMetrics> {
  const client = await import('prom-client')
  const registry = new client.Registry()
  registry.setDefaultLabels({ process: options.process })
  if (options.defaults ?? true) {
    client.collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION })
  }
  const sources = new Set<MetricSource>()
  const counters = new Map<MetricDefinition, Counter<string>>()
  const gauges = new Map<MetricDefinition, Gauge<string>>()
  const histograms = new Map<MetricDefinition, ClientHistogram<string>>()
  /** Series of histograms that were asked for. */
  const begun = new Set<string>()
  let running: Promise<MetricsSnapshot> | undefined

  const metricOf = <M>(made: Map<MetricDefinition, M>, definition: MetricDefinition, Metric: MetricClass<M>): M => {
    const known = made.get(definition)
    if (known !== undefined) return known
    const { name, help, labels, buckets } = definition
    const metric = new Metric({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      ...(buckets && { buckets: [...buckets] }),
    })
    made.set(definition, metric)
    return metric
  }

  const report: Report = (definition, value, labels) => {
    if (!Number.isFinite(value)) return
    if (definition.type === 'counter') metricOf(counters, definition, client.Counter).inc(labels, value)
    else metricOf(gauges, definition, client.Gauge).set(labels, value)
  }

  const take = async (): Promise<MetricsSnapshot> => {
    await within(
      REFRESH_AT_MOST,
      [...sources].map(source => source.refresh?.()),
    )
    for (const metric of [...counters.values(), ...gauges.values()]) metric.reset()
    for (const source of sources) source.report(report)
    const metrics = await registry.getMetricsAsJSON()
    return metrics.map(readable).filter(metric => metric.values.length > 0 && !UNWANTED.test(metric.name))
  }

  return {
    add(source) {
      sources.add(source)
      return () => sources.delete(source)
    },
    histogram<Label extends string>(definition: MetricDefinition<Label>, labels: MetricLabels<Label>): Histogram {
      const series = metricOf(histograms, definition, client.Histogram)
      const id = `${definition.name} ${JSON.stringify(labels)}`
      // A rate needs to know the time before the first observation.
      if (!begun.has(id)) series.zero(labels)
      begun.add(id)
      return { observe: value => series.observe(labels, value) }
    },
    snapshot() {
      running ??= take().finally(() => {
        running = undefined
      })
      return running
    },
  }
}

/** Waits for all that does not fail, up to `milliseconds`. */
async function within(milliseconds: number, work: readonly (Promise<void> | undefined)[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([Promise.allSettled(work), late])
  clearTimeout(timer)
}

/**
 * JSON has no infinity and no NaN, and what is no number is no figure. Each series has its process as a label, so that a
 * merge finds nothing to sum up: where it does, the first one stands.
 */
function readable(metric: MetricObjectWithValues<MetricValue<string>>): MetricObjectWithValues<MetricValue<string>> {
  return { ...metric, aggregator: 'first', values: metric.values.filter(({ value }) => Number.isFinite(value)) }
}
