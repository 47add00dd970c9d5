import type { KafkaConsumer as NativeConsumer } from 'node-rdkafka'
import { type PartitionOffset, partitionId, type TopicPartition } from '../../model/topic-partition.js'
import type { Polled } from '../../ports/log.js'

const ASSIGN_PARTITIONS = -175

type Changes = Pick<Polled, 'assigned' | 'revoked' | 'lost'>

/**
 * What a group gives to and takes from one member. librdkafka calls with an assignment or a revocation and pauses all
 * partitions until it is answered. An assignment is answered at once with nothing to read, so that a long restore holds
 * up no other partition; `assign` adds to that when the caller is ready. A revocation is answered when the caller has
 * released all of it.
 */
export class Rebalances {
  /** Partitions that the group gave to this member. */
  private readonly owned = new Map<string, TopicPartition>()
  /** Among `owned`: those that librdkafka reads. */
  private readonly reading = new Map<string, TopicPartition>()
  /** Asked back and not yet released. */
  private readonly revoking = new Map<string, TopicPartition>()
  private assigned: TopicPartition[] = []
  private revoked: TopicPartition[] = []
  private lost: TopicPartition[] = []
  private sessionOver = false
  private answered = false
  private leaving = false

  /** `positions` says where each partition is read, for the classic protocol; `failed` takes what a callback threw. */
  constructor(
    private readonly native: NativeConsumer,
    /** How the group shares out partitions; `none`: there is no group, and every partition may be read. */
    private readonly protocol: 'consumer' | 'classic' | 'none',
    private readonly positions: () => readonly PartitionOffset[],
    private readonly failed: (thrown: unknown) => void,
  ) {}

  /** Classic assignments replace one another. */
  private get incremental(): boolean {
    return this.protocol !== 'classic'
  }

  /** librdkafka's rebalance callback; also called with no partitions at all. */
  happened(code: number, partitions: readonly TopicPartition[]): void {
    try {
      if (code === ASSIGN_PARTITIONS) this.gained(partitions)
      else this.taken(partitions)
    } catch (thrown) {
      // Within librdkafka's callback nobody can catch it: the next poll throws it.
      this.failed(thrown)
    }
  }

  private gained(partitions: readonly TopicPartition[]): void {
    this.sessionOver = false
    this.answered = true
    if (this.incremental) this.native.incrementalAssign([])
    else this.native.assign([])
    for (const { topic, partition } of partitions) {
      const at = { topic, partition }
      this.owned.set(partitionId(at), at)
      this.assigned.push(at)
    }
  }

  private taken(partitions: readonly TopicPartition[]): void {
    const known = partitions.map(at => this.owned.get(partitionId(at))).filter(at => at !== undefined)
    for (const at of known) this.revoking.set(partitionId(at), at)
    if (this.leaving || this.revoking.size === 0) {
      this.answer()
      return
    }
    // Of what was not handed out yet, nobody needs to hear.
    const unseen = new Set(this.assigned)
    this.assigned = this.assigned.filter(at => !this.revoking.has(partitionId(at)))
    const list = this.sessionOver ? this.lost : this.revoked
    list.push(...known.filter(at => !unseen.has(at)))
    this.release(known.filter(at => unseen.has(at)))
  }

  /** The next revocation is a loss: somebody else may own the partitions already. */
  sessionLost(): void {
    this.sessionOver = true
  }

  /** The group shared out partitions, and the session goes on. */
  get joined(): boolean {
    return this.answered && !this.sessionOver
  }

  /** What happened since the last call. */
  take(): Changes {
    const { assigned, revoked, lost } = this
    this.assigned = []
    this.revoked = []
    this.lost = []
    return { assigned, revoked, lost }
  }

  /** Owned, and not asked back. */
  mayRead(at: TopicPartition): boolean {
    const id = partitionId(at)
    const owned = this.protocol === 'none' || (this.owned.has(id) && !this.revoking.has(id))
    return owned && !this.reading.has(id)
  }

  assign(positions: readonly PartitionOffset[]): void {
    if (positions.length === 0) return
    for (const { topic, partition } of positions)
      this.reading.set(partitionId({ topic, partition }), { topic, partition })
    if (this.incremental) this.native.incrementalAssign([...positions])
    else this.native.assign([...this.positions()])
  }

  release(partitions: readonly TopicPartition[]): void {
    const revocation = this.revoking.size > 0
    const stopped: TopicPartition[] = []
    for (const at of partitions) {
      const id = partitionId(at)
      if (this.revoking.delete(id)) this.owned.delete(id)
      else if (this.reading.has(id)) stopped.push(at)
    }
    if (stopped.length > 0) this.stop(stopped)
    if (revocation && this.revoking.size === 0) this.answer()
  }

  /** Stops reading what is no longer owned, which ends a revocation. */
  private answer(): void {
    const gone = [...this.reading].filter(([id]) => this.leaving || !this.owned.has(id))
    this.stop(gone.map(([, at]) => at))
  }

  private stop(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.reading.delete(partitionId(at))
    if (this.incremental) this.native.incrementalUnassign([...partitions])
    else if (this.owned.size === 0 || this.leaving) this.native.unassign()
    else this.native.assign([...this.positions()])
  }

  /** The consumer leaves the group: revocations are answered at once from now on. */
  leave(): void {
    this.leaving = true
    if (this.revoking.size > 0) this.answer()
  }
}
