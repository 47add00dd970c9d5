import { join } from 'node:path'
import avsc from 'avsc'
import { keyBytesAt, valueBytesAt } from '../../src/model/record-batch.js'
import type { Log } from '../../src/ports/log.js'
import type { SchemaRegistry } from '../../src/ports/schema-registry.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { SCHEMAS } from './quest-topic.js'

/** A record of an output topic, decoded by the writer's schema. */
export interface OutputRecord {
  readonly key: unknown
  readonly value: unknown
}

/** All committed records of a topic. `schemas` is the registry, or the folder where the worker keeps what it registered. */
export async function outputRecords(
  log: Log,
  topic: string,
  schemas: string | SchemaRegistry,
): Promise<OutputRecord[]> {
  const registry =
    typeof schemas === 'string' ? fileRegistry({ schemas: SCHEMAS, file: join(schemas, 'schemas.json') }) : schemas
  const records: OutputRecord[] = []
  const partitions = (await log.describeTopics([topic])).get(topic)?.partitions ?? 0
  for (let partition = 0; partition < partitions; partition++) {
    const { low, high } = await log.watermarks({ topic, partition })
    for await (const batch of log.read({ topic, partition }, low, high)) {
      for (let i = 0; i < batch.count; i++) {
        const key = await decoded(registry, keyBytesAt(batch, i))
        records.push({ key, value: await decoded(registry, valueBytesAt(batch, i)) })
      }
    }
  }
  return records
}

const types = new Map<number, avsc.Type>()

async function decoded(registry: SchemaRegistry, bytes: Buffer | null): Promise<unknown> {
  if (bytes === null) return null
  const id = bytes.readUInt32BE(1)
  let type = types.get(id)
  if (!type) {
    const schema = await registry.schema(id)
    if (schema === undefined) throw new Error(`The schema ${id} of an output record is not registered.`)
    type = avsc.Type.forSchema(schema as avsc.Schema, { noAnonymousTypes: false })
    types.set(id, type)
  }
  return type.fromBuffer(bytes.subarray(5))
}
