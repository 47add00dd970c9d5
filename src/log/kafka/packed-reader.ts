import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { KafkaConsumer as NativeConsumer } from 'node-rdkafka'
import { messageOf } from '../../model/errors.js'
import type { Header, RecordBatch } from '../../model/record-batch.js'
import type { PartitionOffset } from '../../model/topic-partition.js'
import type { KafkaFailure } from './kafka-error.js'

/** Headers of one record: name, value, name, value … */
type FlatHeaders = readonly string[]
type PackedBatch = readonly [
  topic: string,
  partition: number,
  count: number,
  data: ArrayBuffer,
  index: ArrayBuffer,
  headers: readonly (FlatHeaders | undefined)[] | undefined,
]

/** `native/packed-reader.cc`, as it is called. */
interface Addon {
  /** The version of node-rdkafka that it was compiled against. */
  readonly nodeRdkafka: string
  take(
    consumer: object,
    most: number,
    mostBytes: number,
  ): readonly [
    batches: readonly PackedBatch[],
    ends: readonly (readonly [topic: string, partition: number, offset: number])[],
    failures: readonly (readonly [code: number, message: string])[],
  ]
}

/** What was ready in a consumer: records, ends of partitions, and what librdkafka had to say of failures. */
export interface ReadyRecords {
  readonly batches: readonly RecordBatch[]
  readonly ends: readonly PartitionOffset[]
  readonly failures: readonly KafkaFailure[]
}

/** Takes up to `most` records that are ready in a connected consumer, without waiting. */
export type PackedReader = (native: NativeConsumer, most: number) => ReadyRecords

/** Where `native/install.mjs` builds it. */
const ADDON = fileURLToPath(new URL('../../../native/build/Release/packed_reader.node', import.meta.url))

/** Key and value bytes from which on one call takes no more records: it holds up the event loop while it copies. */
const MOST_BYTES = 16 * 1024 * 1024

const NO_HEADERS: readonly Header[] = []

/**
 * The packed reader, which takes records at a tenth of what node-rdkafka's `consume(n)` costs to make an object of each;
 * undefined where there is none, and `absent` is told why. It is built where a compiler is present at install, and is used
 * only beside the version of node-rdkafka that it was compiled against, since it reads that one's memory.
 */
export function packedReader(absent: (reason: string) => void): PackedReader | undefined {
  const require = createRequire(import.meta.url)
  try {
    const addon: Addon = require(ADDON)
    const { version } = require('node-rdkafka/package.json')
    if (addon.nodeRdkafka === version) return readerBy(addon)
    absent(`it was built for node-rdkafka ${addon.nodeRdkafka}, and ${version} is installed`)
  } catch (thrown) {
    absent(messageOf(thrown))
  }
  return undefined
}

function readerBy(addon: Addon): PackedReader {
  return (native, most) => {
    const [batches, ends, failures] = addon.take(Reflect.get(native, '_client'), most, MOST_BYTES)
    return {
      batches: batches.map(recordBatch),
      ends: ends.map(([topic, partition, offset]) => ({ topic, partition, offset })),
      failures: failures.map(([code, message]) => ({ code, message })),
    }
  }
}

function recordBatch([topic, partition, count, data, index, headers]: PackedBatch): RecordBatch {
  const integers = (at: number) => new Int32Array(index, 16 * count + 4 * count * at, count)
  return {
    topic,
    partition,
    count,
    data: Buffer.from(data),
    offsets: new Float64Array(index, 0, count),
    timestamps: new Float64Array(index, 8 * count, count),
    keyStart: integers(0),
    keyLength: integers(1),
    valueStart: integers(2),
    valueLength: integers(3),
    headers: at => pairs(headers?.[at]),
  }
}

function pairs(flat: FlatHeaders | undefined): readonly Header[] {
  if (flat === undefined) return NO_HEADERS
  const headers: Header[] = []
  for (let i = 0; i < flat.length; i += 2) headers.push([flat[i] as string, flat[i + 1] as string])
  return headers
}
