import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError } from '../model/errors.js'
import type { AvroSerde } from '../ports/serde.js'
import { avroFields, columnTypeOf, splitNullable } from '../topology/avro-record.js'
import type { FieldShape } from '../topology/shape.js'
import { suggestion } from '../topology/suggest.js'
import { positiveHash, repartitionHash } from './key-encoding.js'
import { SampleColumn, type Scalar } from './sample-column.js'

/** The fields of a record schema that a key can be made of: text, enums, numbers, flags and times. */
export function scalarFields(schema: AvroSchema): readonly FieldShape[] {
  return avroFields(schema)
    .map(({ name, schema }) => ({
      name,
      schema,
      type: columnTypeOf(schema),
      nullable: splitNullable(schema).nullable,
      date: false,
    }))
    .filter(({ type }) => type !== 'other' && type !== 'bytes')
}

/**
 * The fields of these names.
 * @throws MillraceError INVALID_OPTION for a field that the schema does not have, or that no key can be made of.
 */
export function fieldsNamed(names: readonly string[], schema: AvroSchema, flag: string): readonly FieldShape[] {
  const fields = scalarFields(schema)
  return names.map(name => {
    const field = fields.find(one => one.name === name)
    if (field !== undefined) return field
    const all = avroFields(schema).map(one => one.name)
    const why = all.includes(name)
      ? `"${name}" is no single value, so it cannot be a key.`
      : `the events have no field "${name}". ${suggestion(name, all)}`
    throw new MillraceError('INVALID_OPTION', `${flag} ${names.join(',')}: ${why}`)
  })
}

/** A sample of events as columns, one code an event and field. */
export class Sample {
  readonly columns: ReadonlyMap<string, SampleColumn>
  /** Keys of the records, as latin1 text of their bytes. */
  readonly messageKeys = new SampleColumn(value => positiveHash(Buffer.from(String(value), 'latin1')))
  /** Event times in ms. */
  times = new Float64Array(1_024)
  /** The partition that an event came from. */
  lanes = new Uint16Array(1_024)
  events = 0
  /** Records that could not be decoded. */
  undecodable = 0

  constructor(
    readonly fields: readonly FieldShape[],
    readonly serde: AvroSerde,
  ) {
    this.columns = new Map(
      fields.map(field => {
        const hash = repartitionHash([field], serde)
        return [field.name, new SampleColumn(value => hash([value]))]
      }),
    )
  }

  /** @param key the record's key as latin1 text; null where it has none. */
  add(value: Readonly<Record<string, unknown>>, key: string | null, lane: number, time: number): void {
    const at = this.events++
    if (at === this.times.length) {
      const times = new Float64Array(2 * at)
      times.set(this.times)
      this.times = times
      const lanes = new Uint16Array(2 * at)
      lanes.set(this.lanes)
      this.lanes = lanes
    }
    this.times[at] = time
    this.lanes[at] = lane
    this.messageKeys.add(key)
    for (const [name, column] of this.columns) column.add(value[name] as Scalar | null)
  }

  /** Column of a field of the sample. */
  column(name: string): SampleColumn {
    const column = this.columns.get(name)
    if (column === undefined) throw new Error(`The sample has no column "${name}".`)
    return column
  }

  /** Event times of the first and the last event. */
  get span(): { readonly from: number; readonly to: number } {
    let from = Number.POSITIVE_INFINITY
    let to = Number.NEGATIVE_INFINITY
    for (let i = 0; i < this.events; i++) {
      const time = this.times[i] as number
      if (time < from) from = time
      if (time > to) to = time
    }
    return { from, to }
  }
}
