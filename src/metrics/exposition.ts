import type { MetricsSnapshot } from './prometheus-metrics.js'

/** What an HTTP server answers to a scrape. */
export interface Exposition {
  readonly contentType: string
  readonly text: string
}

/** The series of several processes in Prometheus' text format, one HELP and TYPE a metric. prom-client is loaded here. */
export async function exposition(snapshots: readonly MetricsSnapshot[]): Promise<Exposition> {
  const { AggregatorRegistry, Registry } = await import('prom-client')
  const merged = AggregatorRegistry.aggregate(snapshots.map(metrics => [...metrics]))
  return { contentType: Registry.PROMETHEUS_CONTENT_TYPE, text: await merged.metrics() }
}
