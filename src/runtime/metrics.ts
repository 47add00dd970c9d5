import type { MetricDefinition } from '../ports/metrics.js'

const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const LATE_BY = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400]
const RECORDS = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]
const BYTES = [1_024, 16_384, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864, 268_435_456]

function metric<Label extends string>(
  type: MetricDefinition['type'],
  name: string,
  help: string,
  labels: readonly Label[],
  buckets?: readonly number[],
): MetricDefinition<Label> {
  return { name: `millrace_${name}`, help, type, labels, ...(buckets && { buckets }) }
}

/** Every metric of a stream process. Its series are told by `process`, too: the adapter adds that label. */
export const METRICS = {
  records: metric(
    'counter',
    'records_total',
    'Records read from source topics, by what became of them, as of the last commit.',
    ['topology', 'task', 'topic', 'partition', 'outcome'],
  ),
  refusedWindows: metric(
    'counter',
    'refused_windows_total',
    'Windows that refused a record as late; one record may be refused by several.',
    ['topology', 'task'],
  ),
  lateAfterIdle: metric(
    'counter',
    'late_after_idle_records_total',
    'Records that came after their window had closed because their partition had been idle.',
    ['topology', 'task'],
  ),
  lateness: metric(
    'histogram',
    'lateness_seconds',
    "How far late records lay behind their partition's time.",
    ['topology'],
    LATE_BY,
  ),
  deadLetters: metric(
    'counter',
    'dead_letters_total',
    'Records sent to the dead-letter topic, by the node that failed and the error code.',
    ['topology', 'node', 'reason'],
  ),

  lag: metric('gauge', 'lag_records', 'Records of an input partition that its task has not processed yet.', [
    'topology',
    'task',
    'topic',
    'partition',
  ]),
  laneTime: metric(
    'gauge',
    'lane_time_seconds',
    'Highest event time read from a source partition, in seconds since 1970.',
    ['topology', 'task', 'topic', 'partition'],
  ),
  streamTime: metric(
    'gauge',
    'stream_time_seconds',
    'Event time up to which the windows of a task are closed but for their grace, in seconds since 1970.',
    ['topology', 'task'],
  ),

  openWindows: metric(
    'gauge',
    'open_windows',
    'Windows that are still open, each counted once however many keys it has.',
    ['topology', 'task'],
  ),
  dirtyEntries: metric('gauge', 'dirty_entries', 'Entries of window tables that changed since the last commit.', [
    'topology',
    'task',
  ]),
  heldPartials: metric(
    'gauge',
    'held_partials',
    'Combined entries that wait for the next commit to be sent to a repartition topic.',
    ['topology', 'topic'],
  ),
  stateBytes: metric('gauge', 'state_bytes', "Size on disk of a task's store, looked up once a minute.", [
    'topology',
    'task',
  ]),
  cacheLookups: metric(
    'counter',
    'cache_lookups_total',
    'Entries of stored windows that a commit changed and memory had (hit), and those that were looked up in the store (miss).',
    ['topology', 'task', 'result'],
  ),

  commitDuration: metric(
    'histogram',
    'commit_duration_seconds',
    'How long commits took, from flushing what is held to the batch of the stores.',
    ['topology'],
    DURATIONS,
  ),
  commitRecords: metric(
    'histogram',
    'commit_records',
    'Records that a commit wrote to the log.',
    ['topology'],
    RECORDS,
  ),
  commitBytes: metric(
    'histogram',
    'commit_bytes',
    'Bytes of keys and values that a commit wrote to the log.',
    ['topology'],
    BYTES,
  ),
  abortedTransactions: metric(
    'counter',
    'aborted_transactions_total',
    'Transactions that failed and were done again from the last commit.',
    ['topology'],
  ),
  uncommittedAge: metric(
    'gauge',
    'uncommitted_age_seconds',
    'Since when there has been work that is not committed; 0 where everything is.',
    ['topology'],
  ),
  turnAge: metric(
    'gauge',
    'turn_age_seconds',
    'Since when the current turn of the processing loop has been going on.',
    ['topology'],
  ),

  rebalances: metric(
    'counter',
    'rebalances_total',
    'How often partitions were given to this process or taken from it.',
    ['topology'],
  ),
  rebalancedPartitions: metric(
    'counter',
    'rebalanced_partitions_total',
    'Partitions that were assigned, revoked, or lost without a chance to commit.',
    ['topology', 'change'],
  ),
  tasks: metric('gauge', 'tasks', 'Tasks that run, and tasks whose state is being restored.', ['topology', 'state']),
  sinks: metric('gauge', 'sinks', 'Sink partitions that are written, and those that wait for the warehouse.', [
    'topology',
    'state',
  ]),
  waiting: metric(
    'gauge',
    'waiting',
    '1 while tasks that run wait for something outside, such as the schema registry, else 0.',
    ['topology'],
  ),

  restoredRecords: metric('gauge', 'restored_records', 'Changelog offsets that the restore going on has passed.', [
    'topology',
    'task',
  ]),
  restoreTotalRecords: metric(
    'gauge',
    'restore_expected_records',
    'Changelog offsets that the restore going on has to pass in all.',
    ['topology', 'task'],
  ),
  restoreEta: metric(
    'gauge',
    'restore_eta_seconds',
    'Time until all tasks of the process are restored, at the speed so far.',
    ['topology'],
  ),

  freshness: metric(
    'gauge',
    'warehouse_freshness_seconds',
    'Age of the oldest change that the table does not show yet, counted from event time; what it was at the last flush while the table shows everything.',
    ['topology', 'table', 'partition'],
  ),
  freshnessTarget: metric(
    'gauge',
    'warehouse_freshness_target_seconds',
    'The freshness that the topology promises, plus size and grace of the windows where only final rows are written.',
    ['topology', 'table'],
  ),
  pendingRows: metric('gauge', 'warehouse_pending_rows', 'Rows that wait for their flush.', [
    'topology',
    'table',
    'partition',
  ]),
  pendingBytes: metric(
    'gauge',
    'warehouse_pending_bytes',
    'Memory of rows that are not in the warehouse yet, roughly.',
    ['topology', 'table', 'partition'],
  ),
  flushes: metric('counter', 'warehouse_flushes_total', 'Flushes into the warehouse, by how they ended.', [
    'topology',
    'table',
    'partition',
    'result',
  ]),
  flushDuration: metric(
    'histogram',
    'warehouse_flush_duration_seconds',
    'How long flushes took, those that failed among them.',
    ['topology', 'table'],
    DURATIONS,
  ),
  rows: metric('counter', 'warehouse_rows_total', 'Rows that flushes upserted and deleted.', [
    'topology',
    'table',
    'partition',
    'change',
  ]),
  unchangedRows: metric(
    'counter',
    'warehouse_unchanged_rows_total',
    'Rows that were not flushed because the warehouse has them as they are.',
    ['topology', 'table', 'partition'],
  ),
  flushInterval: metric(
    'gauge',
    'warehouse_flush_interval_seconds',
    'How long rows wait for their flush at the moment.',
    ['topology', 'table', 'partition'],
  ),
  pressure: metric(
    'gauge',
    'warehouse_pressure',
    'How many times longer than wanted the flush intervals are, because the session of a permit is at work nearly all the time or flushes fail; 1 where nothing presses.',
    ['warehouse', 'permit'],
  ),
  sessions: metric('gauge', 'warehouse_sessions', 'Sessions of this process in the warehouse that are at work.', [
    'warehouse',
  ]),
  sessionLimit: metric(
    'gauge',
    'warehouse_sessions_limit',
    'The most sessions that this process may have in the warehouse: the permits that it holds.',
    ['warehouse'],
  ),
} as const
