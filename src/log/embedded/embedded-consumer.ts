import { MillraceError } from '../../model/errors.js'
import type { RecordBatch } from '../../model/record-batch.js'
import { type PartitionOffset, partitionId, type TopicPartition } from '../../model/topic-partition.js'
import type { Clock } from '../../ports/clock.js'
import { type LogConsumer, LogError, type Polled } from '../../ports/log.js'
import { type Group, GroupMember } from './group.js'
import type { LogStorage, PartitionState } from './log-storage.js'
import { packChunks } from './record-chunk.js'

/** Most chunks read from one partition in one go. */
const CHUNKS_A_READ = 64

/** Where the member reads in one assigned partition. */
interface Reading {
  readonly at: PartitionState
  next: number
  paused: boolean
  /** The end that was last reported. */
  reportedEnd: number
}

/** A member of a group of the embedded log; without a group, a reader of whatever it is told to read. */
export class EmbeddedConsumer implements LogConsumer {
  private readonly member: GroupMember
  private readonly readings = new Map<string, Reading>()
  private turn = 0
  private closed = false
  private woken = false
  private resolveWait: (() => void) | undefined

  constructor(
    private readonly storage: LogStorage,
    readonly group: string,
    private readonly members: Group | undefined,
    name: string,
    private readonly clock: Clock,
  ) {
    this.member = new GroupMember(name, () => this.wake())
    storage.listeners.add(this.wake)
  }

  private readonly wake = (): void => {
    this.woken = true
    this.resolveWait?.()
  }

  get joined(): boolean {
    return this.member.joined
  }

  subscribe(topics: readonly string[]): void {
    this.member.topics = topics
    if (topics.length === 0) this.members?.leave(this.member)
    else if (this.member.joined) this.members?.rebalance()
  }

  async poll(maxRecords: number, timeoutMs: number): Promise<Polled> {
    this.requireOpen()
    this.members?.join(this.member, this.clock.now())
    this.member.polling = true
    try {
      const deadline = this.clock.now() + timeoutMs
      for (let timedOut = timeoutMs <= 0; ; ) {
        this.woken = false
        this.members?.expire(this.clock.now())
        const changes = this.members?.take(this.member) ?? { assigned: [], revoked: [], lost: [] }
        for (const at of [...changes.revoked, ...changes.lost]) this.stopReading(at)
        const read = await this.read(maxRecords)
        const lists = [read.batches, read.ends, changes.assigned, changes.revoked, changes.lost]
        if (timedOut || lists.some(list => list.length > 0)) return { ...changes, ...read }
        const left = deadline - this.clock.now()
        timedOut = left <= 0 || !(await this.wokenWithin(left))
      }
    } finally {
      this.member.polling = false
      this.member.lastPoll = this.clock.now()
    }
  }

  /** A partition to give up is not read on; one that the member keeps is not touched. */
  private stopReading(at: TopicPartition): void {
    this.readings.delete(partitionId(at))
  }

  /** Waits until something happens that may concern this member; false where the time passed without. */
  private async wokenWithin(milliseconds: number): Promise<boolean> {
    if (this.woken) return true
    const woken = new Promise<boolean>(resolve => {
      this.resolveWait = () => resolve(true)
    })
    const answer = await Promise.race([woken, this.clock.sleep(milliseconds).then(() => false)])
    this.resolveWait = undefined
    return answer
  }

  /** A batch of each partition that has records, with a fair share of `maxRecords`, and the ends reached. */
  private async read(maxRecords: number): Promise<Pick<Polled, 'batches' | 'ends'>> {
    for (const { at, next } of this.readings.values()) {
      if (next < at.low || next > at.high) throw offsetGone(this.storage.name, at, next)
    }
    const ready = [...this.readings.values()].filter(({ at, next, paused }) => !paused && next < at.high)
    const batches: RecordBatch[] = []
    if (ready.length > 0) {
      const share = Math.max(1, Math.floor(maxRecords / ready.length))
      const first = this.turn++ % ready.length
      const chosen = [...ready.slice(first), ...ready.slice(0, first)].slice(0, maxRecords)
      const found = await Promise.all(chosen.map(reading => this.readOne(reading, share)))
      for (const batch of found) if (batch && batch.count > 0) batches.push(batch)
    }
    const ends: PartitionOffset[] = []
    for (const reading of this.readings.values()) {
      if (reading.paused || reading.next !== reading.at.high || reading.reportedEnd === reading.next) continue
      reading.reportedEnd = reading.next
      ends.push({ topic: reading.at.topic.name, partition: reading.at.partition, offset: reading.next })
    }
    return { batches, ends }
  }

  private async readOne(reading: Reading, share: number): Promise<RecordBatch | undefined> {
    const { at, next } = reading
    const { high } = at
    const chunks = await this.storage.chunks(at, next, Math.min(CHUNKS_A_READ, share))
    const id = partitionId({ topic: at.topic.name, partition: at.partition })
    if (this.readings.get(id) !== reading || reading.next !== next || reading.paused) return undefined
    const bytes = chunks.map(chunk => chunk.bytes)
    const batch = packChunks(at.topic.name, at.partition, bytes, next, high, share)
    // Where nothing is left up to the end, the rest was compacted away.
    reading.next = batch.count > 0 ? (batch.offsets[batch.count - 1] as number) + 1 : high
    return batch
  }

  assign(positions: readonly PartitionOffset[]): void {
    this.requireOpen()
    for (const position of positions) {
      const id = partitionId(position)
      const { held, revoking } = this.member
      if (this.members !== undefined && (!held.has(id) || revoking.has(id))) continue
      const at = this.storage.partition(position)
      this.readings.set(id, { at, next: position.offset, paused: false, reportedEnd: -1 })
    }
    this.wake()
  }

  release(partitions: readonly TopicPartition[]): void {
    this.requireOpen()
    for (const at of partitions) this.readings.delete(partitionId(at))
    this.members?.release(this.member, partitions)
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.setPaused(partitions, true)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.setPaused(partitions, false)
    this.wake()
  }

  private setPaused(partitions: readonly TopicPartition[], paused: boolean): void {
    this.requireOpen()
    for (const at of partitions) {
      const reading = this.readings.get(partitionId(at))
      if (reading) reading.paused = paused
    }
  }

  async seek(position: PartitionOffset): Promise<void> {
    this.requireOpen()
    const reading = this.readings.get(partitionId(position))
    if (!reading) return
    this.readings.set(partitionId(position), { ...reading, next: position.offset, reportedEnd: -1 })
    this.wake()
  }

  async committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    this.requireOpen()
    return this.storage.committed(this.group, partitions)
  }

  async commit(offsets: readonly PartitionOffset[]): Promise<void> {
    this.requireOpen()
    const pending = offsets.map(at => ({ group: this.group, at, offset: at.offset }))
    await this.storage.append([], pending, () => this.requireOwner(offsets))
  }

  /** @throws LogError (abort) where this member may not commit offsets of these partitions. */
  requireOwner(partitions: readonly TopicPartition[]): void {
    this.members?.expire(this.clock.now())
    const refusal = this.closed ? 'it is closed' : this.members?.refusal(this.member, partitions)
    if (refusal === undefined) return
    throw new LogError(
      'abort',
      `A consumer of group "${this.group}" may not commit offsets: ${refusal}. Start again from the committed offsets.`,
    )
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.storage.listeners.delete(this.wake)
    this.readings.clear()
    this.members?.leave(this.member)
  }

  private requireOpen(): void {
    if (this.closed) throw new LogError('fatal', `A consumer of group "${this.group}" was used after it was closed.`)
  }
}

/** The error for a position outside of what a partition holds. */
export function offsetGone(log: string, at: PartitionState, offset: number): MillraceError {
  return new MillraceError(
    'OFFSET_GONE',
    `Offset ${offset} of ${at.topic.name}/${at.partition} is not in ${log}: it holds offsets ${at.low} to ${at.high}. Records were removed, or the topic was created again; start this topology from its beginning under a new name, or from the offsets that are left.`,
  )
}
