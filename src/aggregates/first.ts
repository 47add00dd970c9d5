import type { Measure } from '../topology/measure.js'
import type { Ordered, Sel, ValueOf } from './field.js'
import { fieldMeasure, type MeasureOptions } from './measure-of.js'
import { positionedAggregations } from './positioned.js'

/**
 * The value of a field or expression in the record with the earliest timestamp, in a column of its type; null where there was none.
 *
 * Records of one timestamp are ordered by topic, partition, offset and place in a flatMap, not by arrival: a replay gives the
 * same value. Records in which the field is null are left out. A timestamp comes as a Date.
 */
export function first<V, const F extends Sel<V, Ordered | Uint8Array>>(
  field: F | Sel<V, Ordered | Uint8Array>,
  options?: NoInfer<MeasureOptions<V>>,
): Measure<V, NonNullable<ValueOf<V, F>> | null> {
  return fieldMeasure('first', field, options, positionedAggregations('first'))
}
