import type { LibrdKafkaError } from 'node-rdkafka'
import { MillraceError } from '../../model/errors.js'
import type { PartitionOffset } from '../../model/topic-partition.js'
import { LogError, type Watermarks } from '../../ports/log.js'

/** Codes of librdkafka (negative) and of the Kafka protocol, as `librdkafka/rdkafka.h` has them. */
export const CODE = {
  fatal: -150,
  maxPollExceeded: -147,
  fencedLocally: -144,
  autoOffsetReset: -140,
  queueFull: -184,
  timedOut: -185,
  timedOutQueue: -166,
  authentication: -169,
  notImplemented: -170,
  unknownTopicLocally: -188,
  allBrokersDown: -187,
  transport: -195,
  state: -172,
  unknownTopic: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  messageTooLarge: 10,
  coordinatorLoading: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  topicAuthorization: 29,
  groupAuthorization: 30,
  clusterAuthorization: 31,
  topicExists: 36,
  policyViolation: 44,
  invalidProducerEpoch: 47,
  invalidTransactionTimeout: 50,
  transactionalIdAuthorization: 53,
  unsupportedCompression: 76,
  fencedInstance: 82,
  unstableOffsetCommit: 88,
  producerFenced: 90,
} as const

const FENCED = new Set<number>([
  CODE.fencedLocally,
  CODE.invalidProducerEpoch,
  CODE.fencedInstance,
  CODE.producerFenced,
])
const REFUSED = new Set<number>([
  CODE.authentication,
  CODE.topicAuthorization,
  CODE.groupAuthorization,
  CODE.clusterAuthorization,
  CODE.transactionalIdAuthorization,
])
const TRANSIENT = new Set<number>([
  CODE.timedOut,
  CODE.timedOutQueue,
  CODE.transport,
  CODE.allBrokersDown,
  // Leaders of a new topic, and of one whose broker went, are not known everywhere at once.
  CODE.leaderNotAvailable,
  CODE.notLeader,
  CODE.coordinatorLoading,
  CODE.coordinatorNotAvailable,
  CODE.notCoordinator,
  CODE.unstableOffsetCommit,
])

/** What node-rdkafka throws or passes to a callback. It is no `Error` by class. */
export type KafkaFailure = Pick<LibrdKafkaError, 'message' | 'code'> & Partial<LibrdKafkaError>

export function isKafkaFailure(thrown: unknown): thrown is KafkaFailure {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'number'
}

/** Worth trying again: nothing is decided yet. */
export function isTransient(failure: KafkaFailure): boolean {
  return failure.isRetriable ?? TRANSIENT.has(failure.code)
}

/** What to do about a failure whose code says so. */
function advice(failure: KafkaFailure): string {
  switch (failure.code) {
    case CODE.topicAuthorization:
    case CODE.groupAuthorization:
    case CODE.clusterAuthorization:
    case CODE.transactionalIdAuthorization:
      return ' Grant the ACL that the prefix of the topology needs (topics, group and transactional id).'
    case CODE.invalidTransactionTimeout:
      return ' transaction.timeout.ms, which follows from the commit interval, is above transaction.max.timeout.ms of the brokers: lower the one or raise the other.'
    case CODE.authentication:
      return ' Check security.protocol, the SASL settings and the credentials.'
    case CODE.unsupportedCompression:
    case CODE.notImplemented:
      return ' The records are compressed in a way that this build of librdkafka cannot read, most likely zstd: install libzstd-dev where node-rdkafka is built and build it anew, or let the topic use another compression.type.'
    case CODE.unknownTopic:
    case CODE.unknownTopicLocally:
      return ' Create the topic first.'
    default:
      return ''
  }
}

/** Brokers tell a transaction that they ended for its length as they tell a newer producer. */
function fencing(code: number): string {
  const taken =
    ' A newer producer or member with the same id took over: stop this instance, or give it another instance id.'
  if (code === CODE.fencedInstance) return taken
  return `${taken} Or a transaction took longer than transaction.timeout.ms, and the brokers ended it.`
}

/** `doing` is a sentence's start such as `Committing a transaction`. `clean` removes secrets. */
export function logError(log: string, doing: string, failure: KafkaFailure, clean: (text: string) => string): LogError {
  const fenced = FENCED.has(failure.code)
  const action = !fenced && !failure.isFatal && failure.isTxnRequiresAbort ? 'abort' : 'fatal'
  const reason = fenced ? fencing(failure.code) : advice(failure)
  const message = `${doing} at ${log} failed: ${clean(failure.message)} (code ${failure.code}).${reason}`
  return new LogError(action, message, { cause: failure, fenced, refused: REFUSED.has(failure.code) })
}

/** The error for a position outside of what a partition holds. */
export function offsetGone(log: string, at: PartitionOffset, bounds: Watermarks): MillraceError {
  return new MillraceError(
    'OFFSET_GONE',
    `Offset ${at.offset} of ${at.topic}/${at.partition} is not in ${log}: it holds offsets ${bounds.low} to ${bounds.high}. The topic's retention removed it, or the topic was created again; start this topology from its beginning under a new name, or from the offsets that are left.`,
  )
}
