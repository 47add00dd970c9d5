import type { MetricsSnapshot } from '../../src/metrics/prometheus-metrics.js'

/** One series of a snapshot. */
export interface Series {
  /** With `_bucket`, `_sum` or `_count` where it is of a histogram. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The series of a snapshot whose names are `millrace_` + `name` and whose labels are among others these. */
export function seriesOf(snapshot: MetricsSnapshot, name: string, labels: Record<string, string> = {}): Series[] {
  return snapshot
    .flatMap(metric =>
      metric.values.map(value => ({
        name: 'metricName' in value && typeof value.metricName === 'string' ? value.metricName : metric.name,
        labels: Object.fromEntries(Object.entries(value.labels).map(([label, text]) => [label, String(text)])),
        value: value.value,
      })),
    )
    .filter(one => one.name === `millrace_${name}`)
    .filter(one => Object.entries(labels).every(([label, text]) => one.labels[label] === text))
}

/** Their sum; undefined where there are none. */
export function figureOf(
  snapshot: MetricsSnapshot,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const series = seriesOf(snapshot, name, labels)
  return series.length === 0 ? undefined : series.reduce((sum, { value }) => sum + value, 0)
}
