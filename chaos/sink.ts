import { setTimeout as sleep } from 'node:timers/promises'
import { openWarehouse } from '../src/cli/adapters.js'
import { Random } from '../test/runtime/simulation/random.js'
import { type LogSize, PARTITIONS, RowLog, TABLES } from './row-log.js'
import { postgresTarget, redshiftTarget, type Target } from './targets.js'
import { Writer } from './writers.js'
import { type Comparison, compareCells } from './wrong-cells.js'

export interface SinkChaosOptions {
  /** Of all targets together, fencing on. */
  readonly kills: number
  /** Of all targets together, fencing off; default: 30 % of `kills`, and 3 at least. */
  readonly unfencedKills?: number
  readonly seed: number
  /** Rows of one table at a target; a row has four measures, so cells are 16 times as many for two tables at two targets. */
  readonly keys: number
  /** Default: both. */
  readonly targets?: readonly TargetName[]
  readonly report: (line: string) => void
}

export type TargetName = keyof typeof TARGETS

/** What happened to one target with fencing on, or with fencing off. */
interface Round extends Comparison {
  readonly kills: number
  readonly pauses: number
  readonly flushes: number
  readonly fenced: number
}

export interface SinkChaosResult {
  readonly kills: number
  readonly pauses: number
  /** Flushes of the writers that were at work, as they last said. */
  readonly flushes: number
  /** Times that a writer learned that another one had taken its sink over. */
  readonly fenced: number
  readonly faults: Readonly<Record<string, number>>
  readonly cells: number
  readonly wrongCells: number
  /** Kills and wrong cells with fencing switched off. */
  readonly unfencedKills: number
  readonly unfencedWrongCells: number
}

/** Records of a partition for each of its rows. */
const VERSIONS = 4

/** Of the kills with fencing on, so many are repeated without. */
const UNFENCED_SHARE = 0.3
const UNFENCED_AT_LEAST = 3

const TARGETS = { postgres: postgresTarget, redshift: redshiftTarget }

export const TARGET_NAMES = Object.keys(TARGETS) as readonly TargetName[]

/** How long a writer may take to its first flush, or for the rest of the log, in ms. */
const PATIENCE = 120_000

/** The part of the log between two kills comes in so many steps. */
const STEPS = 25
const STEP_MS = 40

/** A writer sleeps so long at the most, in ms: with its session it holds up the others. */
const LONGEST_PAUSE = 2_000

/** Flushes of one that woke up before it is killed: more, and it would make up for what it missed. */
const FLUSHES_AWAKE = 3

/**
 * Kills writers of the production sink at random moments, lets two of them compete for the same sinks, pauses them as a
 * sleeping host does, disturbs their sessions, and compares what stands in the warehouse in the end. Then the same with
 * fencing switched off, which has to go wrong.
 */
export async function sinkChaos({
  kills,
  unfencedKills = Math.max(UNFENCED_AT_LEAST, Math.round(kills * UNFENCED_SHARE)),
  seed,
  keys,
  targets = TARGET_NAMES,
  report,
}: SinkChaosOptions): Promise<SinkChaosResult> {
  const random = new Random(seed)
  const size: LogSize = { seed, keys, records: Math.ceil((keys / 4) * VERSIONS) }
  const rounds: Round[] = []
  const unfenced: Round[] = []
  const faults: Record<string, number> = {}
  for (const name of targets) {
    for (const [fencing, results] of [
      [true, rounds],
      [false, unfenced],
    ] as const) {
      const target = await TARGETS[name](() => random.next())
      try {
        const count = Math.ceil((fencing ? kills : unfencedKills) / targets.length)
        const round = await chaosRound(target, size, count, fencing, random)
        results.push(round)
        if (fencing) Object.assign(faults, target.faults())
        report(
          `${target.name}, fencing ${fencing ? 'on' : 'off'}: ${JSON.stringify({ ...round, examples: undefined, ...target.faults() })}`,
        )
        if (fencing) for (const example of round.examples) report(`Wrong: ${example}`)
      } finally {
        await target.close()
      }
    }
  }
  const sum = (of: readonly Round[], name: 'kills' | 'pauses' | 'flushes' | 'fenced' | 'cells' | 'wrongCells') =>
    of.reduce((total, round) => total + round[name], 0)
  return {
    kills: sum(rounds, 'kills'),
    pauses: sum(rounds, 'pauses'),
    flushes: sum(rounds, 'flushes'),
    fenced: sum(rounds, 'fenced'),
    faults,
    cells: sum(rounds, 'cells'),
    wrongCells: sum(rounds, 'wrongCells'),
    unfencedKills: sum(unfenced, 'kills'),
    unfencedWrongCells: sum(unfenced, 'wrongCells'),
  }
}

async function chaosRound(
  target: Target,
  size: LogSize,
  wanted: number,
  fencing: boolean,
  random: Random,
): Promise<Round> {
  const task = { warehouse: target.warehouse, flags: target.flags, size, ...(!fencing && { unfenced: target.url }) }
  const counted = { kills: 0, pauses: 0, flushes: 0, fenced: 0 }
  const writers = new Set<Writer>()
  // Loading the program takes longer than all the rest: one process is ready to take a dead one's place.
  let spare = new Writer()
  // The log grows all the time, so that there is always something to write, but never ends before the last kill.
  const share = size.records / (wanted + 1)
  let end = 0
  const due = () => Math.min(Math.ceil(share * (counted.kills + 1)), size.records)
  const grow = setInterval(() => {
    for (const { state } of writers) if (state.opened === 0) return
    end = Math.min(Math.ceil(end + share / STEPS), due())
    for (const writer of writers) writer.tell(end)
  }, STEP_MS)
  const start = () => {
    spare.begin(task, end)
    writers.add(spare)
    spare = new Writer()
  }
  const kill = async (writer: Writer) => {
    await writer.kill()
    writers.delete(writer)
    counted.flushes += writer.state.flushes
    counted.fenced += writer.state.fenced
  }
  try {
    while (counted.kills < wanted) {
      while (writers.size < 2) start()
      const [first, second] = [...writers] as [Writer, Writer]
      const flushes = () => first.state.flushes + second.state.flushes
      const before = flushes()
      const both = () => first.state.flushes > 0 && second.state.flushes > 0
      const compete = !fencing || random.chance(0.4)
      const ready = () => flushes() > before && (!compete || both() || end === due())
      await reached(ready, writers, `${target.name}: writers flush`)
      await target.disturb()
      await sleep(random.below(200))
      const zombie = compete && both()
      if (zombie) {
        await pauseBeyond(second, first, random)
        counted.pauses++
      }
      await kill(zombie || random.chance(0.5) ? second : first)
      counted.kills++
    }
    target.calm()
    for (const writer of [...writers].slice(1)) await kill(writer)
    await reached(() => [...writers][0]?.state.drained === size.records, writers, `${target.name}: the log's end`)
  } finally {
    clearInterval(grow)
    for (const writer of [...writers, spare]) await kill(writer)
  }
  return { ...counted, ...(await compareAll(target, size)) }
}

/**
 * One writer sleeps while the other goes on, wakes up with what it had to write, and tries to: the moment in which it is
 * killed is behind a flush where it got that far.
 */
async function pauseBeyond(sleeper: Writer, other: Writer, random: Random): Promise<void> {
  sleeper.pause()
  const { flushes } = other.state
  const beginning = Date.now()
  const beyond = () => Date.now() - beginning > 300 + random.below(500) && other.state.flushes > flushes + PARTITIONS
  while (!beyond() && Date.now() - beginning < LONGEST_PAUSE) await sleep(20)
  const before = sleeper.state.flushes
  sleeper.resume()
  const awake = Date.now()
  while (sleeper.state.flushes < before + FLUSHES_AWAKE && Date.now() - awake < LONGEST_PAUSE) await sleep(5)
}

async function reached(condition: () => boolean, writers: Iterable<Writer>, what: string): Promise<void> {
  const deadline = Date.now() + PATIENCE
  while (!condition()) {
    for (const { failure } of writers) if (failure !== undefined) throw new Error(failure)
    if (Date.now() > deadline) {
      const said = [...writers].map(({ lastWords }) => lastWords).join('\n')
      throw new Error(`Not seen within ${PATIENCE} ms: ${what}.\n${said}`)
    }
    await sleep(20)
  }
}

async function compareAll(target: Target, size: LogSize): Promise<Comparison> {
  const warehouse = openWarehouse(target.warehouse, target.flags)
  try {
    const results: Comparison[] = []
    for (const table of TABLES) results.push(await compareCells(warehouse, new RowLog(table, size)))
    return {
      cells: results.reduce((total, { cells }) => total + cells, 0),
      wrongCells: results.reduce((total, { wrongCells }) => total + wrongCells, 0),
      examples: results.flatMap(({ examples }) => examples),
    }
  } finally {
    await warehouse.close()
  }
}
