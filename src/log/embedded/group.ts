import { partitionId, type TopicPartition } from '../../model/topic-partition.js'
import { rangeAssignment } from './range-assignment.js'

/** A member of a group, as the group sees it. */
export class GroupMember {
  topics: readonly string[] = []
  /** False before the first poll after `subscribe`, after the session ran out, and after it left. */
  joined = false
  lastPoll = 0
  /** A poll is under way: the member is alive however long it takes. */
  polling = false
  /** Granted, not yet handed out by a poll. */
  readonly granted = new Map<string, TopicPartition>()
  /** Handed out and not released. */
  readonly held = new Map<string, TopicPartition>()
  /** Among `held`: asked back. */
  readonly revoking = new Set<string>()
  /** Taken away without being asked; not granted again before they are released. */
  readonly lost = new Map<string, TopicPartition>()
  toRevoke: TopicPartition[] = []
  toLose: TopicPartition[] = []

  constructor(
    readonly name: string,
    readonly wake: () => void,
  ) {}
}

/** What a poll has to tell of a member's partitions. */
export interface GroupChanges {
  readonly assigned: readonly TopicPartition[]
  readonly revoked: readonly TopicPartition[]
  readonly lost: readonly TopicPartition[]
}

/**
 * A consumer group within one process. Only partitions that move are revoked, and one goes to its new owner only after
 * the former one released it, left, or did not poll for the session timeout (as in Kafka's `consumer` protocol, KIP-848).
 */
export class Group {
  private readonly members: GroupMember[] = []
  private readonly holders = new Map<string, GroupMember>()

  constructor(
    private readonly sessionTimeoutMs: number,
    private readonly partitionsOf: (topic: string) => number,
  ) {}

  /** Called at the start of a poll: members whose session ran out lose their partitions, and this one joins (again). */
  join(member: GroupMember, now: number): void {
    this.expire(now)
    member.lastPoll = now
    if (member.joined || member.topics.length === 0) return
    member.joined = true
    this.members.push(member)
    this.members.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    this.rebalance()
  }

  /** What happened since the last call. */
  take(member: GroupMember): GroupChanges {
    const assigned = [...member.granted.values()]
    for (const [id, at] of member.granted) member.held.set(id, at)
    member.granted.clear()
    const changes = { assigned, revoked: member.toRevoke, lost: member.toLose }
    member.toRevoke = []
    member.toLose = []
    return changes
  }

  /** The member gave these partitions up; it need not hear any more that it has to, or that it lost them. */
  release(member: GroupMember, partitions: readonly TopicPartition[]): void {
    const released = new Set(partitions.map(partitionId))
    member.toRevoke = member.toRevoke.filter(at => !released.has(partitionId(at)))
    member.toLose = member.toLose.filter(at => !released.has(partitionId(at)))
    for (const at of partitions) {
      const id = partitionId(at)
      member.lost.delete(id)
      member.revoking.delete(id)
      if (member.held.delete(id)) this.holders.delete(id)
    }
    this.rebalance()
  }

  leave(member: GroupMember): void {
    this.evict(member)
    this.rebalance()
  }

  /** Takes the partitions of members that did not poll for the session timeout. */
  expire(now: number): void {
    const gone = this.members.filter(member => !member.polling && now - member.lastPoll > this.sessionTimeoutMs)
    for (const member of gone) this.evict(member)
    if (gone.length > 0) this.rebalance()
  }

  /** Why `member` must not commit offsets of these partitions, or undefined where it may. */
  refusal(member: GroupMember, partitions: readonly TopicPartition[]): string | undefined {
    if (!member.joined && (member.topics.length > 0 || this.members.length > 0)) {
      return 'it left the group, or did not poll for the session timeout'
    }
    const foreign = partitions.find(at => (this.holders.get(partitionId(at)) ?? member) !== member)
    return foreign && `${partitionId(foreign)} belongs to another member`
  }

  /** Shares out the partitions anew, after a member, a subscription or a topic came or went. */
  rebalance(): void {
    const target = rangeAssignment(this.members, this.partitionsOf)
    for (const [id, holder] of this.holders) {
      if (target.get(id)?.member === holder) continue
      if (holder.granted.delete(id)) {
        this.holders.delete(id)
      } else if (!holder.revoking.has(id)) {
        holder.revoking.add(id)
        holder.toRevoke.push(holder.held.get(id) as TopicPartition)
        holder.wake()
      }
    }
    for (const [id, { at, member }] of target) {
      if (this.holders.has(id) || member.lost.has(id)) continue
      this.holders.set(id, member)
      member.granted.set(id, at)
      member.wake()
    }
  }

  private evict(member: GroupMember): void {
    const index = this.members.indexOf(member)
    if (index >= 0) this.members.splice(index, 1)
    for (const [id, holder] of this.holders) if (holder === member) this.holders.delete(id)
    for (const [id, at] of member.held) {
      member.lost.set(id, at)
      member.toLose.push(at)
    }
    member.granted.clear()
    member.held.clear()
    member.revoking.clear()
    member.toRevoke = []
    member.joined = false
    member.wake()
  }
}
