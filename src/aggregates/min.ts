import type { Measure } from '../topology/measure.js'
import { extrema } from './extremum.js'
import type { Ordered, Sel, ValueOf } from './field.js'
import { fieldMeasure, type MeasureOptions } from './measure-of.js'

/**
 * The smallest value of a field or expression, in a column of its type; null where there was none.
 *
 * Whole numbers are exact at any size. Text is ordered by code point (the order of its UTF-8 bytes), false is below true,
 * NaN counts as the largest number, as in PostgreSQL. A timestamp comes as a Date.
 */
export function min<V, const F extends Sel<V, Ordered>>(
  field: F | Sel<V, Ordered>,
  options?: NoInfer<MeasureOptions<V>>,
): Measure<V, NonNullable<ValueOf<V, F>> | null> {
  return fieldMeasure('min', field, options, extrema('min'))
}
