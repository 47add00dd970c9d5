import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../../src/model/errors.js'
import { ParentLink } from '../../src/worker/parent-link.js'

/** What the child of a slot does: each start takes the next act, the last one again and again. */
export interface ChildOrder {
  readonly slot: number
  /** A line for each thing that happens: `<slot> <pid> <event>`. */
  readonly notes: string
  readonly acts: readonly Act[]
  readonly secret?: string
}

export type Act =
  /** Runs until it is told to drain, and leaves. */
  | 'run'
  /** Runs and never leaves. */
  | 'stay'
  /** Stops turning its loop. */
  | 'block'
  | 'crash'
  | 'fail'
  | 'fail for good'

/** Metrics that a child answers with. */
export interface ChildSnapshot {
  readonly slot: number
}

const link = new ParentLink<ChildOrder, ChildSnapshot>()
const { slot, notes, acts } = await link.order
const note = (event: string) => appendFileSync(notes, `${slot} ${process.pid} ${event}\n`)
note('started')
const starts = readFileSync(notes, 'utf8').match(new RegExp(`^${slot} \\d+ started$`, 'gm'))?.length ?? 0
const act = acts[Math.min(starts, acts.length) - 1]
const health = () => ({
  turnedAt: Date.now(),
  joined: true,
  running: 1,
  restoring: 0,
  sinksOpen: 0,
  sinksWaiting: 0,
})
link.report(
  () => ({ topologies: [{ topology: 'test', health: health() }] }),
  async () => ({ slot }),
)
link.orphaned.addEventListener('abort', () => note('orphaned'))
if (act === 'crash') process.kill(process.pid, 'SIGABRT')
if (act === 'fail' || act === 'fail for good') {
  await link.failed(new MillraceError(act === 'fail' ? 'LOG' : 'MISSING_TOPIC', `${slot} cannot go on.`))
  process.exit(1)
}
if (act === 'block') {
  await sleep(100)
  note('blocked')
  for (;;);
}
if (!link.drain.aborted) await new Promise(resolve => link.drain.addEventListener('abort', resolve))
note('draining')
if (act === 'stay') await sleep(600_000)
// Work that a drain has to finish.
await sleep(200)
note('left')
process.exit()
