import { type PartitionOffset, partitionId } from '../../../src/model/topic-partition.js'
import type { LogProducer } from '../../../src/ports/log.js'
import { LaneTable, type Marker } from '../../../src/runtime/lane-table.js'
import { encodeMarker } from '../../../src/runtime/marker-writer.js'
import type { TaskProgress } from '../../../src/runtime/progress.js'
import { RepartitionTask } from '../../../src/runtime/repartition-task.js'
import { RepartitionWriter } from '../../../src/runtime/repartition-writer.js'
import { type Owned, RestorationSet } from '../../../src/runtime/restoration-set.js'
import { SourceTask } from '../../../src/runtime/source-task.js'
import { Task } from '../../../src/runtime/task.js'
import { TaskSet } from '../../../src/runtime/task-set.js'
import { WindowTable } from '../../../src/runtime/window-table.js'

/** A fault planted into the runtime, which simulations have to find. */
export interface Mutation {
  readonly name: string
  /** The kind of simulation that can show it. */
  readonly idle: boolean
  /** Plants it and answers how to take it out again. */
  plant(): () => void
}

type Class<T> = { readonly prototype: T }

/** Replaces a method, also a private one. The answer puts it back. */
function replace<T extends object, A extends unknown[], R>(
  { prototype }: Class<T>,
  method: string,
  replacement: (self: T, original: (...args: A) => R, ...args: A) => R,
): () => void {
  const original = Reflect.get(prototype, method) as (this: T, ...args: A) => R
  Reflect.set(prototype, method, function (this: T, ...args: A): R {
    return replacement(this, (...given) => original.apply(this, given), ...args)
  })
  return () => {
    Reflect.set(prototype, method, original)
  }
}

/** A private field. */
function field<T>(of: object, name: string): T {
  return Reflect.get(of, name) as T
}

type Restore = (progress: TaskProgress) => void
type Read = (position: PartitionOffset, wasRunning: boolean) => unknown
type Add = (owned: readonly Owned[]) => void

function idOf({ at }: Owned): string {
  return partitionId(at)
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'markers stand before the partials of their transaction',
    idle: false,
    plant: () =>
      replace(RepartitionWriter, 'flush', (self, original: (now: number) => void, now: number) => {
        if (self.markers.due(now)) {
          const marker = encodeMarker(field(self, 'markerHeader'), self.markers.take(now))
          const producer = field<LogProducer>(self, 'producer')
          const partitions = field<number>(self, 'partitions')
          for (let p = 0; p < partitions; p++) producer.send(self.topic, p, null, marker, now)
        }
        original(now)
      }),
  },
  {
    name: 'lane times are not restored',
    idle: false,
    plant: () =>
      replace(SourceTask, 'restore', (_, original: Restore, progress: TaskProgress) =>
        original({ ...progress, laneTime: null }),
      ),
  },
  {
    name: 'stream time is computed anew from the lanes after a restart',
    idle: true,
    plant: () =>
      replace(RepartitionTask, 'restore', (_, original: Restore, progress: TaskProgress) => {
        const lanes = progress.lanes && { ...progress.lanes, streamTime: null }
        original({ ...progress, lanes, streamTime: null })
      }),
  },
  {
    name: 'the lane table is not restored',
    idle: false,
    plant: () =>
      replace(RepartitionTask, 'restore', (_, original: Restore, progress: TaskProgress) =>
        original({ ...progress, lanes: null }),
      ),
  },
  {
    name: 'lanes that have not spoken are left out',
    idle: false,
    plant: () =>
      replace(LaneTable, 'apply', (self, original: (marker: Marker) => boolean, marker: Marker) => {
        const heard = field<Map<number, unknown>>(self, 'lanes')
        const added = field<Set<number>>(self, 'added')
        for (let p = 0; p < marker.lanes.count; p++) if (!heard.has(p)) added.add(p)
        return original(marker)
      }),
  },
  {
    name: 'combiners keep their partials over an aborted transaction',
    idle: false,
    plant: () => replace(RepartitionWriter, 'clear', () => undefined),
  },
  {
    name: 'a task that is restored after an abort goes on behind what was polled for its predecessor',
    idle: false,
    plant: () =>
      replace(RestorationSet, 'read', (_, original: Read, position: PartitionOffset, wasRunning: boolean) =>
        wasRunning ? undefined : original(position, wasRunning),
      ),
  },
  {
    name: 'a restore goes on over the loss of its partition',
    idle: false,
    plant: () => {
      const goOn = replace(RestorationSet, 'drop', async () => undefined)
      const once = replace(RestorationSet, 'add', (self, original: Add, owned: readonly Owned[]) => {
        const under = new Set([
          ...field<{ owned: readonly Owned[] }[]>(self, 'asked').flatMap(asked => asked.owned.map(idOf)),
          ...field<{ owned: Owned }[]>(self, 'known').map(one => idOf(one.owned)),
          ...field<{ owned: Owned }[]>(self, 'running').map(one => idOf(one.owned)),
        ])
        original(owned.filter(one => !under.has(idOf(one))))
      })
      return () => {
        once()
        goOn()
      }
    },
  },
  {
    name: 'lateness is judged by all lanes of the process',
    idle: false,
    plant: () => {
      const times = new WeakMap<object, number>()
      return replace(SourceTask, 'moveLane', (self, original: (time: number) => void, timestamp: number) => {
        const environment = field<object>(self, 'environment')
        const time = Math.max(times.get(environment) ?? 0, timestamp)
        times.set(environment, time)
        original(time)
      })
    },
  },
  {
    name: 'a store is written before its transaction is committed',
    idle: false,
    plant: () =>
      replace(Task, 'changes', (self, original: Task['changes'], log: Parameters<Task['changes']>[0]) => {
        const writes = original(log)
        void self.store?.write(writes).catch(() => undefined)
        return writes
      }),
  },
  {
    name: 'a store that is given up claims the changelog to its end',
    idle: false,
    plant: () =>
      replace(TaskSet, 'drop', async (self, original: TaskSet['drop'], partitions: Parameters<TaskSet['drop']>[0]) => {
        for (const task of self.all) {
          await self.notePosition(task, true)
          await self.write(task, [], true)
        }
        await original(partitions)
      }),
  },
  {
    name: 'stream time goes back when a lane resumes',
    idle: true,
    plant: () =>
      replace(LaneTable, 'apply', (self, original: (marker: Marker) => boolean, marker: Marker) => {
        self.streamTime = Number.NEGATIVE_INFINITY
        return original(marker)
      }),
  },
  {
    name: 'rows of a split table that did not change are not closed',
    idle: false,
    plant: () =>
      replace(WindowTable, 'close', (self, original: WindowTable['close'], time: number, which: 'all' | 'changed') =>
        original(time, self.name === 'updates' ? 'changed' : which),
      ),
  },
]
