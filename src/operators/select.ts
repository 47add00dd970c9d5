import type { Field, ValueOf } from '../aggregates/field.js'
import { compileInput } from '../topology/field-input.js'
import type { FieldInput } from '../topology/measure.js'
import type { StreamRecord } from '../topology/node.js'
import { Flow, type Operator, type Show, STREAM, type Stream } from './flow.js'
import { transform } from './transform.js'

/** New fields by name, each a field of `V` or a typed expression. */
export type Selection<V> = { readonly [name: string]: (keyof V & string) | Field<V, unknown> }

/** The value that a selection makes. */
export type Selected<V, S> = Show<{ readonly [N in keyof S]: ValueOf<V, S[N]> }>

/**
 * Makes a new value of named fields, whose types stay known: `select({ region: 'region', minutes: double(e => …) })`.
 * A null value stays null.
 */
export function select<K, V, const S extends Selection<NonNullable<V>>>(
  fields: S,
): Operator<Stream<K, V>, Stream<K, Selected<V, S> | Extract<V, null>>> {
  const inputs: Readonly<Record<string, FieldInput>> = Object.freeze({ ...fields })
  const columns = Object.entries(inputs).map(([name, field]) => ({ name, read: compileInput(field) }))
  return input => {
    const node = transform(
      input.node,
      { kind: 'select', changesKey: false, changesValue: true, fields: inputs },
      (record, out, fail) => {
        let selected: StreamRecord
        try {
          const value: Record<string, unknown> | null = record.value === null ? null : {}
          if (value !== null) for (const { name, read } of columns) value[name] = read(record.value)
          selected = { key: record.key, value, timestamp: record.timestamp }
        } catch (thrown) {
          fail(thrown)
          return
        }
        out.next(selected)
      },
    )
    return new Flow(STREAM, node)
  }
}
