import type { FieldInput } from './measure.js'

/** The function of a field or an expression; it gives null for a null value. It throws what the expression throws. */
export function compileInput(input: FieldInput): (value: unknown) => unknown {
  if (typeof input === 'string') {
    return value => (value === null ? null : (value as Readonly<Record<string, unknown>>)[input])
  }
  const evaluate = input.evaluate as (value: unknown) => unknown
  return value => (value === null ? null : evaluate(value))
}
