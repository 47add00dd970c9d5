import { MillraceError, messageOf } from '../model/errors.js'
import { type Header, keyBytesAt, type RecordBatch, valueBytesAt } from '../model/record-batch.js'
import type { LogProducer } from '../ports/log.js'
import type { ErrorPolicy, Node } from '../topology/node.js'
import type { Outcome } from './accounting.js'

/** A record that could not be processed, as it was read. */
export interface FailedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly Header[]
}

/** How many dead letters one node made for one reason. */
export interface DeadLetterCount {
  readonly node: string
  /** An error code. */
  readonly reason: string
  readonly count: number
}

/**
 * Applies the error policy. Dead letters keep the original bytes, timestamp and headers, and say what happened in the
 * headers of KIP-1034.
 */
export class DeadLetters {
  private counted: readonly DeadLetterCount[] = []
  /** Those of the transaction that is open. */
  private uncommitted = new Map<string, DeadLetterCount>()

  constructor(
    private readonly policy: ErrorPolicy,
    private readonly topic: string,
    private readonly partitions: number,
    private readonly producer: LogProducer,
  ) {}

  /** @throws MillraceError of the failure, naming the record, under `onError: 'fail'`. */
  handle(record: FailedRecord, node: string, thrown: unknown): Outcome {
    const { topic, partition, offset } = record
    const code = thrown instanceof MillraceError ? thrown.code : 'USER_CODE'
    switch (this.policy) {
      case 'fail':
        throw new MillraceError(
          code,
          `${node} failed on the record at ${topic}/${partition}, offset ${offset}: ${messageOf(thrown)} Mend the topology or the record, or set onError to 'deadLetter' or 'skip'.`,
          { cause: thrown },
        )
      case 'skip':
        return 'skipped'
      case 'deadLetter':
        this.send(record, `${node}: ${messageOf(thrown)}`, thrown instanceof MillraceError ? code : nameOf(thrown))
        add(this.uncommitted, { node, reason: code, count: 1 })
        return 'deadLettered'
      default:
        throw this.policy satisfies never
    }
  }

  /** Dead letters that were committed since the process started. The reason of what user code threw is `USER_CODE`. */
  get counts(): readonly DeadLetterCount[] {
    return this.counted
  }

  /** What was handled so far is committed. */
  committed(): void {
    if (this.uncommitted.size === 0) return
    const total = new Map<string, DeadLetterCount>()
    for (const one of [...this.counted, ...this.uncommitted.values()]) add(total, one)
    this.counted = [...total.values()]
    this.uncommitted.clear()
  }

  /** What was handled since the last commit is done again. */
  givenUp(): void {
    this.uncommitted.clear()
  }

  private send(record: FailedRecord, message: string, exception: string): void {
    const { topic, partition, offset } = record
    this.producer.send(this.topic, partition % this.partitions, record.key, record.value, record.timestamp, [
      ...record.headers,
      ['__streams.errors.exception', exception],
      ['__streams.errors.message', message],
      ['__streams.errors.topic', topic],
      ['__streams.errors.partition', String(partition)],
      ['__streams.errors.offset', String(offset)],
    ])
  }
}

function add(total: Map<string, DeadLetterCount>, { node, reason, count }: DeadLetterCount): void {
  const id = `${reason} ${node}`
  total.set(id, { node, reason, count: (total.get(id)?.count ?? 0) + count })
}

/** The record at `index` of a batch, as it was read. */
export function failedRecord(batch: RecordBatch, index: number): FailedRecord {
  return {
    topic: batch.topic,
    partition: batch.partition,
    offset: batch.offsets[index] as number,
    timestamp: batch.timestamps[index] as number,
    key: keyBytesAt(batch, index),
    value: valueBytesAt(batch, index),
    headers: batch.headers(index),
  }
}

/** A node as messages name it. */
export function labelOf(node: Node): string {
  switch (node.kind) {
    case 'source':
    case 'to-topic':
      return `${node.kind} "${node.topic}"`
    case 'to-warehouse':
      return `${node.kind} "${node.table}"`
    default:
      return 'name' in node && node.name !== undefined ? `${node.kind} "${node.name}"` : node.kind
  }
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : typeof thrown
}
