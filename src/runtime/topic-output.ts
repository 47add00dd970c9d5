import type { AvroSchema } from '../model/avro-schema.js'
import type { LogProducer } from '../ports/log.js'
import type { AvroSerde } from '../ports/serde.js'
import type { Node, TopicSinkNode } from '../topology/node.js'
import { type FieldShape, outputKeyShape, valueShape } from '../topology/shape.js'
import { fieldValues, recordSchema } from './field-values.js'
import { TopicOutput, type WireEncoding } from './outputs.js'

/** The output of a topic sink: registers its schemas, key and value in Confluent's wire format, a text key as it is. */
export async function topicOutput(
  node: TopicSinkNode,
  partitions: number,
  { serde, producer }: { readonly serde: AvroSerde; readonly producer: LogProducer },
): Promise<TopicOutput> {
  const input = node.inputs[0] as Node
  const key = outputKeyShape(node)
  const fields = valueShape(input)!
  const wire = async (
    suffix: 'key' | 'value',
    shape: readonly FieldShape[],
    schema: AvroSchema,
  ): Promise<WireEncoding> => ({
    values: fieldValues(shape),
    writer: await serde.writer(`${node.topic}-${suffix}`, schema),
  })
  const record = pascalCase(node.topic)
  const text = key === undefined || (key.length === 1 && key[0]!.type === 'text')
  return new TopicOutput(
    node,
    partitions,
    text ? undefined : await wire('key', key, recordSchema(`${record}Key`, key)),
    await wire('value', fields, declaredSchema(input) ?? recordSchema(record, fields)),
    producer,
  )
}

/** The schema that a stream's values were declared with, where no operator on the way changed them. */
function declaredSchema(node: Node): AvroSchema | undefined {
  switch (node.kind) {
    case 'source':
      return node.value.schema
    case 'map':
    case 'map-values':
    case 'flat-map':
    case 'rx':
      return node.value?.schema
    case 'filter':
    case 'where':
    case 'peek':
    case 'repartition':
      return declaredSchema(node.inputs[0] as Node)
    default:
      return undefined
  }
}

function pascalCase(text: string): string {
  const name = text.replace(/(?:^|[^a-zA-Z0-9]+)([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase())
  return /^[0-9]/.test(name) ? `T${name}` : name
}
