import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Asked, blendedWall, cpu, hasRollup, mean, p95, skew } from './figures.js'
import { percent, seconds, table, times, whole } from './markdown-table.js'
import { plots } from './plots.js'
import type { PrestoResult } from './presto.js'

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url))

/** Writes docs/results.md and the plots that it shows. */
export async function writeResults(result: PrestoResult): Promise<void> {
  const folder = join(DOCS, 'results')
  await mkdir(folder, { recursive: true })
  for (const [file, svg] of await plots(result)) await writeFile(join(folder, file), svg)
  await writeFile(join(DOCS, 'results.md'), resultsPage(result))
}

/** The page of a run, in Markdown. */
export function resultsPage(result: PrestoResult): string {
  const { events, figures, pipeline } = result
  const { before, after } = blendedWall(result.asked)
  return `# Results

Twelve questions of analysts, asked to Trino (the open-source Presto) over PostgreSQL: on ${whole(events)} raw events, and on four small
tables that Millrace keeps of the same events. ${figures.answerable} of the questions can be answered from the tables, with the same answers; two
cannot, and go on reading raw events. This page is written by

\`\`\`sh
npm run bench -- presto --events ${events}${result.runs === 5 ? '' : ` --runs ${result.runs}`}${result.freshness.liveSeconds === 150 ? '' : ` --live-seconds ${result.freshness.liveSeconds}`}
\`\`\`

on ${cpus().length} cores (${cpus()[0]?.model.trim()}) with ${Math.round(totalmem() / 2 ** 30)} GB of memory, in ${whole(result.seconds / 60)} minutes. [How it is measured](#how-it-is-measured) says what each figure is.

${table(
  ['figure', 'value', 'what it is'],
  [
    [
      'wrong answers',
      `${figures.wrongAnswers}`,
      `of ${result.runs * figures.answerable} rolled-up answers, compared with the raw ones`,
    ],
    ['CPU', `${times(figures.cpuRatio)} less`, 'Trino and PostgreSQL, over the answerable questions'],
    ['blocks', `${times(figures.blocksRatio)} fewer`, 'that PostgreSQL looked at, over the answerable questions'],
    [
      '95th percentile of the wall clock',
      `${times(figures.p95Ratio)} less`,
      'over all runs of the answerable questions',
    ],
    ['coverage', percent(figures.coverage), 'part of the raw CPU that the answerable questions cause'],
    [
      'blended saving of CPU',
      percent(figures.blendedCpuSaving),
      'over all twelve questions; the people of the story reached 30 %',
    ],
    [
      'blended saving of time',
      percent(1 - after / before),
      'mean wall clock of all twelve questions; the people of the story reached 25 %',
    ],
    ['sessions of the pipeline', `${figures.peakPipelineSessions}`, 'in the warehouse at once, for four tables'],
  ],
)}

## The questions

![CPU of each question on raw events and rolled up](results/cpu.svg)

![Wall clock of each question on raw events and rolled up](results/wall.svg)

${questionTable(result.asked)}

\`rows\` are those that PostgreSQL handed to Trino. Trino 368 leaves filters by time to PostgreSQL, and \`ORDER BY … LIMIT\`, but no grouping by text or by a
function of time, so it fetches the columns that it needs of every row. On the tables, what is left is mostly the price of asking at all: Trino opens sessions in PostgreSQL and
plans.${estimates(result)}

## What it costs to keep the tables

${sizes(result)}

The worker took ${seconds(pipeline.cpuSeconds)} of CPU for ${whole(events)} events (${((1e6 * pipeline.cpuSeconds) / events).toFixed(1)} µs each, ${seconds(pipeline.seconds)} by the clock, ${Math.round(pipeline.peakRssMb)} MB at most), and
PostgreSQL ${seconds(pipeline.postgresCpuSeconds)} to take the rows. ${payback(result)} Kafka's own CPU is not counted: the events go through it either way.

## Hot partitions

Five of 100,000 players make a quarter of all events. A topic keyed by user has them in its partitions for good. Keyed by quest type without combining it would be worse: the
largest of 20 types makes 28 % of the events. Combined before the shuffle, a partition holds what upstream tasks send at their commits: a record for each quest type and window that
changed, however many events there were.

![Records by partition](results/partitions.svg)

${partitionTable(result)}

## Freshness

${whole(result.freshness.liveRate)} events a second that happened just now, for ${result.freshness.liveSeconds} seconds, into tables declared with \`freshness: '${result.freshness.freshness}'\`. Every half second the
table of five minutes was asked how many events of each quest type it showed: the age of the first event that was not among them, from when it happened, is what the two-minute SLA limits.
The sawtooth is the flush interval; the worst of all types was ${Math.max(...result.freshness.types.map(type => type.worst)).toFixed(1)} s.

![Age of the oldest event that the table does not show](results/freshness.svg)

${table(
  ['quest type', 'events', 'median', 'p95', 'worst'],
  result.freshness.types.map(({ questType, events: seen, median, p95: high, worst }) => [
    questType,
    whole(seen),
    `${median.toFixed(1)} s`,
    `${high.toFixed(1)} s`,
    `${worst.toFixed(1)} s`,
  ]),
)}

## How it is measured

- **The same events.** A seeded generator makes them once: each goes to a Kafka topic, keyed by user, and by COPY in order of time into the table \`quest_events\`, which then gets indexes on time and on user and
  time, and \`VACUUM (FREEZE, ANALYZE)\`. They spread over seven days, with 20 quest types (Zipf), 8 regions, 5,000 quests and 100,000 players.
- **The tables are the pipeline's own.** The built package runs [the topology](../bench/topologies/presto.ts) as one worker with \`--warehouse-sessions 1\`, from real Kafka through the sink into the same PostgreSQL. Its sessions are counted by a
  proxy between them, from its start to its end, also under the load of the freshness test.
- **Each question** is two statements ([both](../bench/presto/questions.ts)), each run once to warm up and then ${result.runs} times. The pipeline has ended by then. Two questions have only one, which counts on both sides.
- **Answers** are compared value for value, in order, doubles too. Estimates of numbers of players are compared with the generator's own count: none may be off by more than four standard errors of 2.3 %, and their
  root mean square must be a standard error of 2.3 % (up to a quarter more).
- **CPU** is \`totalCpuTime\` of Trino's tasks plus user and system time of all processes of PostgreSQL over these runs, with what its sessions cost to start. Ratios are sums over the answerable questions,
  raw ÷ rolled up.
- **Blocks** are \`blks_hit + blks_read\` of the database: 8 KB each, in memory or not, of tables, indexes and the catalog.
- **Wall clock** is Trino's, from when it took a statement to its end. 95th percentiles are over all runs of the answerable questions.
- **Coverage** = raw CPU of the answerable questions ÷ raw CPU of all. **Blended saving** = 1 − (rolled-up CPU of the answerable + raw CPU of the rest) ÷ raw CPU of all. Each question counts once.
- Both servers have the machine to themselves, and memory for all of the data: \`shared_buffers=2GB\`, 4 GB of heap for Trino, which remembers the tables' columns (\`metadata.cache-ttl\`).
`
}

function questionTable(asked: readonly Asked[]): string {
  const rows = asked.map(question => {
    const { raw, rolledUp } = question
    const pair = (of: (cost: Asked['raw']) => string) =>
      rolledUp === undefined ? of(raw) : `${of(raw)} → ${of(rolledUp)}`
    return [
      question.title,
      pair(cost => seconds(cost.trinoCpu)),
      pair(cost => seconds(cost.postgresCpu)),
      rolledUp === undefined ? 'no rollup' : times(cpu(raw) / cpu(rolledUp)),
      pair(cost => whole(cost.blocks)),
      pair(cost => seconds(mean(cost.walls))),
      pair(cost => seconds(p95([cost]))),
      pair(cost => whole(cost.rows)),
      pair(cost => `${cost.sessions}`),
    ]
  })
  return table(
    [
      'question (raw → rolled up)',
      'Trino CPU',
      'PostgreSQL CPU',
      'CPU ratio',
      'blocks',
      'wall, mean',
      'wall, p95',
      'rows',
      'sessions',
    ],
    rows,
  )
}

function estimates({ estimates: found }: PrestoResult): string {
  if (found === undefined) return ''
  const { raw, rolledUp } = found
  return ` Players are estimated on both sides: off by ${percent(rolledUp.rms, 2)} (root mean square; the worst cell ${percent(rolledUp.worst, 1)}) rolled up, and by
${percent(raw.rms, 2)} (${percent(raw.worst, 1)}) by Trino's own \`approx_distinct\` over raw events.`
}

function sizes({ sizes: found }: PrestoResult): string {
  return table(
    ['table', 'rows', 'MB with indexes'],
    found.map(({ table: name, rows, megabytes }) => [`\`${name}\``, whole(rows), megabytes.toFixed(1)]),
  )
}

function payback({ asked, pipeline }: PrestoResult): string {
  const saved = asked.filter(hasRollup).reduce((sum, { raw, rolledUp }) => sum + cpu(raw) - cpu(rolledUp), 0)
  const runs = (pipeline.cpuSeconds + pipeline.postgresCpuSeconds) / saved
  return `Asking each of the answerable questions once saves ${seconds(saved)} of CPU, so keeping the tables pays from run ${Math.ceil(runs)} of the questions on (${runs.toFixed(2)}).`
}

function partitionTable({ partitions: { byUser, byQuestType, combined } }: PrestoResult): string {
  const row = (name: string, records: readonly number[]) => [
    name,
    whole(records.reduce((sum, count) => sum + count, 0)),
    whole(Math.max(...records)),
    skew(records).toFixed(2),
  ]
  return table(
    ['topic', 'records', 'in the hottest partition', 'hottest ÷ mean'],
    [
      row('keyed by user', byUser),
      row('keyed by quest type, not combined', byQuestType),
      row('keyed by quest type, combined, for three tables', combined),
    ],
  )
}
