/** One metric: its name and everything that a reader of it has to know. Names are Prometheus': base units, `_total`. */
export interface MetricDefinition<Label extends string = string> {
  readonly name: string
  /** One sentence. */
  readonly help: string
  /** A counter goes back only when the process starts again. */
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly Label[]
  /** Upper bounds of a histogram's buckets, ascending. */
  readonly buckets?: readonly number[]
}

/** Values of a metric's labels. They are names: of topologies, topics, tables, codes. Never a secret, never a value of a record. */
export type MetricLabels<Label extends string = string> = Readonly<Record<Label, string>>

/** Takes one figure. What is not a finite number is no figure, and is left out. */
export type Report = <Label extends string>(
  definition: MetricDefinition<Label>,
  value: number,
  labels: MetricLabels<Label>,
) => void

/**
 * Keeps figures anyway and says them when it is asked. What it does not say any more is gone: nobody has to remove the
 * series of a task that moved away.
 */
export interface MetricSource {
  /** Looks up what has to be asked for. It may fail or take too long: `report` then says what was known before. */
  refresh?(): Promise<void>
  /** Says all figures as of now: counters and gauges. A counter that is said twice for the same labels is summed up. */
  report(report: Report): void
}

/** A distribution, for what happens once in a while: a commit, a flush, a late record. */
export interface Histogram {
  observe(value: number): void
}

/** Where figures are collected. Nothing is done for a record: sources are asked when somebody reads the metrics. */
export interface Metrics {
  /** Asks `source` whenever metrics are read, until the answer is called. */
  add(source: MetricSource): () => void
  histogram<Label extends string>(definition: MetricDefinition<Label>, labels: MetricLabels<Label>): Histogram
}

const unread: Histogram = { observe: () => undefined }

/** Metrics that nobody reads. */
export const noMetrics: Metrics = { add: () => () => undefined, histogram: () => unread }
