import type { EofEvent, KafkaConsumer as NativeConsumer } from 'node-rdkafka'
import type { PartitionOffset, TopicPartition } from '../../model/topic-partition.js'
import { KafkaClient, type KafkaContext } from './kafka-client.js'
import type { KafkaFailure } from './kafka-error.js'
import { Rebalances } from './rebalances.js'
import { clientSettings, FETCH_DEFAULTS } from './settings.js'

/** How a group shares out partitions: Kafka's newer protocol (KIP-848), the older one, or the newer where the broker has it. */
export type GroupProtocol = 'auto' | 'consumer' | 'classic'

/** How long an instance id that another member uses is waited for (brokers allow sessions of a minute), and how often. */
const UNRELEASED_MS = 120_000
const REJOIN_EVERY_MS = 1_000

/** Who joins which group, and how. */
export interface Membership {
  /** Undefined: none. It reads the partitions that it is told to. */
  readonly group: string | undefined
  readonly instanceId: string | undefined
  readonly protocol: GroupProtocol
  /** What the members of one log learn about its brokers. */
  readonly brokerTraits: { classicOnly: boolean }
}

/** What a native consumer tells outside of calls. */
interface GroupEvents {
  /** Where each partition is read. */
  positions(): readonly PartitionOffset[]
  reachedEnd(event: EofEvent): void
  /** Answers come in the order of the commits. */
  committed(failure: KafkaFailure | undefined): void
  /** Sharing out partitions failed within a callback, where nobody can catch it. */
  failed(thrown: unknown): void
}

/** What a client that joins no group gives as its group: librdkafka wants one of everything that reads. */
const NO_GROUP = 'millrace-reader'

/** A connected native consumer, not yet subscribed. */
export interface GroupClient {
  readonly client: KafkaClient<NativeConsumer>
  readonly rebalances: Rebalances
}

export async function connectToGroup(
  context: KafkaContext,
  { group, instanceId, protocol: wanted, brokerTraits }: Membership,
  events: GroupEvents,
): Promise<GroupClient> {
  const protocol =
    group === undefined || wanted === 'classic' || (wanted === 'auto' && brokerTraits.classicOnly)
      ? 'classic'
      : 'consumer'
  const { global, topic } = clientSettings(context.brokers, FETCH_DEFAULTS, context.settings, {
    'group.id': group ?? NO_GROUP,
    ...(instanceId === undefined ? {} : { 'group.instance.id': instanceId }),
    'group.protocol': protocol,
    ...(protocol === 'consumer' ? { 'group.remote.assignor': 'range' } : { 'partition.assignment.strategy': 'range' }),
    'enable.auto.commit': false,
    'enable.auto.offset.store': false,
    'enable.partition.eof': true,
    'isolation.level': 'read_committed',
  })
  const callbacks = {
    rebalance_cb: (failure: KafkaFailure, partitions: TopicPartition[]) =>
      rebalances.happened(failure.code, partitions),
    offset_commit_cb: (failure: KafkaFailure | undefined) => events.committed(failure),
  }
  const make = () =>
    new context.driver.KafkaConsumer({ ...global, ...callbacks }, { ...topic, 'auto.offset.reset': 'error' })
  const client = await KafkaClient.connect<NativeConsumer>(context, make)
  client.native.on('partition.eof', event => events.reachedEnd(event))
  const rebalances = new Rebalances(
    client.native,
    group === undefined ? 'none' : protocol,
    () => events.positions(),
    thrown => events.failed(client.failed('Sharing out partitions', thrown)),
  )
  client.onLog = facility => {
    if (facility === 'SESSTMOUT' || facility === 'MAXPOLL') rebalances.sessionLost()
  }
  return { client, rebalances }
}

/** Decides whether a member whose native client failed for good starts over with a new one. */
export class Restarts {
  private unreleasedSince: number | undefined

  constructor(
    private readonly context: KafkaContext,
    private readonly membership: Membership,
  ) {}

  /** `reason` is librdkafka's. Resolves when it is time to connect anew, with false where that would not help. */
  async worth(reason: string): Promise<boolean> {
    const { logger, name, clock } = this.context
    const { group, instanceId, protocol, brokerTraits } = this.membership
    if (protocol === 'auto' && /ConsumerGroupHeartbeat.*not supported/i.test(reason)) {
      logger.debug(`${name} has no consumer group protocol (KIP-848): using the classic one.`)
      brokerTraits.classicOnly = true
      return true
    }
    // Under the newer protocol, an instance that was killed keeps its id until its session times out.
    if (!/instance ID is still used/i.test(reason)) return false
    if (this.unreleasedSince === undefined) {
      this.unreleasedSince = clock.now()
      logger.warn(
        `${name}: the instance id "${instanceId}" is still used by another member of group "${group}". Waiting until it leaves or its session times out.`,
      )
    }
    await clock.sleep(REJOIN_EVERY_MS)
    return clock.now() - this.unreleasedSince < UNRELEASED_MS
  }
}
