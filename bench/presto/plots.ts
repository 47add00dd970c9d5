import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { type Asked, cpu, hasRollup, mean } from './figures.js'
import type { PrestoResult } from './presto.js'

/** Legible on white and on black: pictures in Markdown do not know which it is. */
const INK = '#808890'
const RAW = '#e0823d'
const ROLLED_UP = '#3b8fd4'
const BEFORE_AND_AFTER = { domain: ['raw', 'rolled up'], range: [RAW, ROLLED_UP] }
const SLA_SECONDS = 120

/** The plots of a run by file name, as SVG. */
export async function plots(result: PrestoResult): Promise<ReadonlyMap<string, string>> {
  const specs: Readonly<Record<string, TopLevelSpec>> = {
    'cpu.svg': beforeAndAfter(result.asked, 'CPU of Trino and PostgreSQL a run, in ms (logarithmic)', cost =>
      Math.max(1, 1_000 * cpu(cost)),
    ),
    'wall.svg': beforeAndAfter(result.asked, 'mean wall clock of a run, in ms (logarithmic)', cost =>
      Math.max(1, 1_000 * mean(cost.walls)),
    ),
    'partitions.svg': partitions(result.partitions),
    'freshness.svg': freshness(result.freshness),
  }
  const drawn = await Promise.all(Object.entries(specs).map(async ([file, spec]) => [file, await svg(spec)] as const))
  return new Map(drawn)
}

/** Drawn by vega in Node, without a canvas. */
async function svg(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(themed(spec)).spec), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}

function themed(spec: TopLevelSpec): TopLevelSpec {
  return {
    ...spec,
    background: 'transparent',
    config: {
      font: 'sans-serif',
      view: { stroke: null },
      axis: { labelColor: INK, titleColor: INK, gridColor: INK, gridOpacity: 0.25, domainColor: INK, tickColor: INK },
      legend: { labelColor: INK, titleColor: INK },
      header: { labelColor: INK, titleColor: INK, labelFontSize: 12 },
      text: { color: INK },
    },
  }
}

function beforeAndAfter(asked: readonly Asked[], title: string, of: (cost: Asked['raw']) => number): TopLevelSpec {
  const values = asked.flatMap(question => [
    { question: question.name, side: 'raw', value: of(question.raw) },
    ...(hasRollup(question) ? [{ question: question.name, side: 'rolled up', value: of(question.rolledUp) }] : []),
  ])
  const y = {
    field: 'question',
    type: 'nominal',
    sort: asked.map(({ name }) => name),
    title: null,
    axis: { grid: true },
  } as const
  const x = { field: 'value', type: 'quantitative', scale: { type: 'log' }, title } as const
  return {
    width: 480,
    height: { step: 24 },
    data: { values },
    layer: [
      {
        mark: { type: 'line', color: INK, opacity: 0.6 },
        encoding: { x, y, detail: { field: 'question', type: 'nominal' } },
      },
      {
        mark: { type: 'circle', size: 90, opacity: 1 },
        encoding: { x, y, color: { field: 'side', type: 'nominal', scale: BEFORE_AND_AFTER, title: null } },
      },
    ],
  }
}

function partitions({ byUser, byQuestType, combined }: PrestoResult['partitions']): TopLevelSpec {
  const panels = [
    ['by user', byUser],
    ['by quest type', byQuestType],
    ['by quest type, combined', combined],
  ] as const
  const values = panels.flatMap(([panel, records]) =>
    records.map((count, partition) => ({ panel, partition, records: count })),
  )
  return {
    data: { values },
    facet: { column: { field: 'panel', type: 'nominal', sort: panels.map(([panel]) => panel), title: null } },
    spec: {
      width: 180,
      height: 160,
      mark: { type: 'bar' },
      encoding: {
        x: { field: 'partition', type: 'ordinal', title: 'partition', axis: { labelAngle: 0 } },
        y: { field: 'records', type: 'quantitative', title: 'records' },
        color: {
          field: 'panel',
          type: 'nominal',
          legend: null,
          scale: { domain: panels.map(([panel]) => panel), range: [RAW, RAW, ROLLED_UP] },
        },
      },
    },
  }
}

function freshness({ course, types }: PrestoResult['freshness']): TopLevelSpec {
  const rule = {
    data: { values: [{ sla: SLA_SECONDS }] },
    mark: { type: 'rule' as const, color: RAW, strokeDash: [6, 4] },
    encoding: { y: { field: 'sla', type: 'quantitative' as const } },
  }
  const name = {
    data: { values: [{ sla: SLA_SECONDS, text: 'two-minute SLA' }] },
    mark: { type: 'text' as const, align: 'left' as const, baseline: 'bottom' as const, x: 4, dy: -3 },
    encoding: { y: { field: 'sla', type: 'quantitative' as const }, text: { field: 'text' } },
  }
  const title = 'oldest event not yet visible, in s'
  return {
    vconcat: [
      {
        width: 560,
        height: 180,
        layer: [
          {
            data: { values: [...course] },
            mark: { type: 'line', color: ROLLED_UP },
            encoding: {
              x: { field: 'at', type: 'quantitative', title: 'seconds of load' },
              y: { field: 'age', type: 'quantitative', title },
            },
          },
          rule,
          name,
        ],
      },
      {
        width: 560,
        height: 180,
        layer: [
          {
            data: { values: types.map(({ questType, worst }) => ({ questType, worst })) },
            mark: { type: 'bar', color: ROLLED_UP },
            encoding: {
              x: { field: 'questType', type: 'nominal', title: 'quest type', sort: null },
              y: { field: 'worst', type: 'quantitative', title: 'the worst of each type, in s' },
            },
          },
          rule,
          name,
        ],
      },
    ],
  }
}
