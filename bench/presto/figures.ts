/** What the runs of one question cost on one side: its means over the runs, after the one that warmed up. */
export interface Cost {
  /** CPU of Trino's tasks, in seconds a run. */
  readonly trinoCpu: number
  /** CPU of all processes of PostgreSQL, in seconds a run. */
  readonly postgresCpu: number
  /** Blocks of PostgreSQL that were looked at, a run. */
  readonly blocks: number
  /** Seconds of each run, from the query's creation to its end. */
  readonly walls: readonly number[]
  /** Rows that PostgreSQL handed to Trino, a run. */
  readonly rows: number
  /** The most sessions in PostgreSQL at once. */
  readonly sessions: number
}

/** A question that was asked. */
export interface Asked {
  readonly name: string
  readonly title: string
  readonly raw: Cost
  /** Absent where no rollup answers it. */
  readonly rolledUp?: Cost
  /** Rolled-up answers that differ from the raw one, of one a run. */
  readonly wrongAnswers: number
}

/** The last line of `--json`. Ratios are raw ÷ rolled up over the questions that rollups answer. */
export interface Figures {
  readonly questions: number
  readonly answerable: number
  readonly wrongAnswers: number
  /** Sum of CPU, Trino's and PostgreSQL's. */
  readonly cpuRatio: number
  readonly blocksRatio: number
  /** 95th percentile of the wall clock of all runs. */
  readonly p95Ratio: number
  /** 1 − (rolled-up CPU of what rollups answer + raw CPU of the rest) ÷ raw CPU of all. */
  readonly blendedCpuSaving: number
  /** Part of the raw CPU of all questions that rollups answer. */
  readonly coverage: number
  /** Sessions that the pipeline had in the warehouse at once. */
  readonly peakPipelineSessions: number
}

export const cpu = ({ trinoCpu, postgresCpu }: Cost): number => trinoCpu + postgresCpu

export function figures(asked: readonly Asked[], peakPipelineSessions: number): Figures {
  const answerable = asked.filter(hasRollup)
  const raw = answerable.map(question => question.raw)
  const rolledUp = answerable.map(question => question.rolledUp)
  const rawCpu = total(raw, cpu)
  const allCpu = total(
    asked.map(question => question.raw),
    cpu,
  )
  return {
    questions: asked.length,
    answerable: answerable.length,
    wrongAnswers: asked.reduce((sum, { wrongAnswers }) => sum + wrongAnswers, 0),
    cpuRatio: rounded(rawCpu / total(rolledUp, cpu)),
    blocksRatio: rounded(total(raw, blocks) / total(rolledUp, blocks)),
    p95Ratio: rounded(p95(raw) / p95(rolledUp)),
    blendedCpuSaving: rounded(1 - (total(rolledUp, cpu) + allCpu - rawCpu) / allCpu, 3),
    coverage: rounded(rawCpu / allCpu, 3),
    peakPipelineSessions,
  }
}

/** Mean wall clock of all twelve questions, in seconds: on raw events, and on rollups where there are some. */
export function blendedWall(asked: readonly Asked[]): { readonly before: number; readonly after: number } {
  const before = mean(asked.map(({ raw }) => mean(raw.walls)))
  const after = mean(asked.map(({ raw, rolledUp = raw }) => mean(rolledUp.walls)))
  return { before, after }
}

/** 95th percentile of the wall clock of all runs, in seconds. */
export const p95 = (costs: readonly Cost[]): number =>
  percentile(
    costs.flatMap(({ walls }) => walls),
    0.95,
  )

/** The value at `rank` (from 0 to 1) by the nearest-rank method. @throws RangeError without values. */
export function percentile(values: readonly number[], rank: number): number {
  if (values.length === 0) throw new RangeError('There is no percentile of no values.')
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(rank * sorted.length) - 1)]!
}

/** Hottest partition ÷ mean: 1 where all are alike. */
export function skew(records: readonly number[]): number {
  return Math.max(...records) / mean(records)
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

export function hasRollup(question: Asked): question is Asked & { readonly rolledUp: Cost } {
  return question.rolledUp !== undefined
}

const blocks = (cost: Cost): number => cost.blocks

const total = (costs: readonly Cost[], of: (cost: Cost) => number): number =>
  costs.reduce((sum, cost) => sum + of(cost), 0)

const rounded = (value: number, digits = 1): number => Number(value.toFixed(digits))
