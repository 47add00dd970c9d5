import type { Rig } from './rig.js'
import { until } from './until.js'
import type { Worker } from './worker.js'

/** Which worker took each partition of a topic last, by what their logs say. */
export function owners(workers: readonly Worker[], topic: string): ReadonlyMap<number, Worker> {
  const taken = workers.flatMap(worker =>
    worker.lines
      .filter(({ message }) => message.startsWith('Running '))
      .flatMap(({ time, message }) => partitionsIn(message, topic).map(partition => ({ partition, time, worker }))),
  )
  taken.sort((a, b) => a.time - b.time)
  return new Map(taken.map(({ partition, worker }) => [partition, worker]))
}

/**
 * Waits until these workers own all partitions of the source, each at least one, and every partition was read on and
 * committed under its owner. Answers how many each owns.
 */
export async function sharing(rig: Rig, workers: readonly Worker[], partitions = 8): Promise<readonly number[]> {
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const output = () => workers.map(({ output }) => output).join('\n')
  const share = () => {
    const owner = owners(workers, rig.source)
    const shares = workers.map(worker => all.filter(partition => owner.get(partition) === worker))
    const complete = all.every(partition => owner.get(partition)?.running)
    return complete && shares.every(({ length }) => length > 0) ? shares : undefined
  }
  return until(
    `${partitions} partitions shared by ${workers.length} workers`,
    60_000,
    async () => {
      const before = share()
      if (before === undefined) return
      const start = await rig.readOf(all)
      await until(
        'each partition read on',
        60_000,
        async () => (await rig.readOf(all)).every((next, partition) => next > (start[partition] as number)),
        output,
      )
      return JSON.stringify(share()) === JSON.stringify(before) && before.map(({ length }) => length)
    },
    output,
  )
}

function partitionsIn(message: string, topic: string): number[] {
  return message
    .split(/[\s,;]+/)
    .filter(word => word.startsWith(`${topic}/`))
    .map(word => Number(word.slice(topic.length + 1)))
}
