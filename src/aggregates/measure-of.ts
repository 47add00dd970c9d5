import type { ColumnType } from '../model/column.js'
import { MillraceError } from '../model/errors.js'
import type { Aggregation, FieldInput, Measure, Predicate } from '../topology/measure.js'
import type { Where } from './field.js'

/** Options that every measure has. */
export interface MeasureOptions<V> {
  /** Only records that match are measured. */
  readonly where?: Where<V> | undefined
}

/** A frozen measure without input: its aggregation takes whole values. */
export function wholeValueMeasure<V, R>(
  kind: string,
  options: MeasureOptions<V> | undefined,
  aggregation: Aggregation,
): Measure<V, R> {
  return Object.freeze({ kind, ...filterOf(options), resolve: () => aggregation })
}

/** A frozen measure of a field or expression. `aggregations` holds the aggregation of each type that it takes. */
export function fieldMeasure<V, R>(
  kind: string,
  input: FieldInput,
  options: MeasureOptions<V> | undefined,
  aggregations: Partial<Record<ColumnType, () => Aggregation>>,
): Measure<V, R> {
  const resolve = (type: ColumnType | undefined): Aggregation => {
    const make = type && aggregations[type]
    if (make) return make()
    const taken = Object.keys(aggregations).join(', ')
    const [call, what] =
      typeof input === 'string' ? [`${kind}('${input}')`, `'${input}'`] : [`${kind}(…)`, 'its expression']
    throw new MillraceError(
      'INVALID_TOPOLOGY',
      `${call}: ${kind} takes ${taken}, but ${what} is ${type ?? 'of an unknown type'}. ` +
        'Name another field, or give a typed expression such as double(e => …).',
    )
  }
  return Object.freeze({ kind, input, ...filterOf(options), resolve })
}

function filterOf<V>(options: MeasureOptions<V> | undefined): { readonly where?: Predicate } {
  return options?.where === undefined ? {} : { where: options.where as Predicate }
}
