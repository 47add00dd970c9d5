import type { ColumnType } from '../model/column.js'
import type { Expression } from '../topology/measure.js'
import { checkValue } from './value-check.js'

/** Names of the fields of V that hold a T, or a T or null. */
export type KeysOf<V, T> = {
  [K in keyof V]-?: NonNullable<V[K]> extends T ? K : never
}[keyof V] &
  string

/** A typed expression over V. */
export type Field<V, T> = Expression<V, T>

/** A field of V that holds a T, by name, or a typed expression. Either may be null: a measure leaves nulls out. */
export type Sel<V, T> = KeysOf<NonNullable<V>, T> | Field<V, T | null>

/** Values that can be compared. */
export type Ordered = number | bigint | string | boolean | Date

/** What a {@link Sel} holds. */
export type ValueOf<V, S> = S extends keyof NonNullable<V>
  ? NonNullable<V>[S]
  : S extends Expression<never, infer T>
    ? T
    : never

/** A predicate as data (all fields must match; a list matches any of its elements), or a function. */
export type Where<V> =
  | { readonly [F in keyof NonNullable<V>]?: NonNullable<V>[F] | readonly NonNullable<V>[F][] }
  | ((value: V) => boolean)

/** The type without its literals: `1 | null` gives `number | null`. */
type Widened<T> = T extends number | bigint ? number : T extends string ? string : T extends boolean ? boolean : T
type Moment<T> = T extends null ? null : Date

function expression<V, T>(type: ColumnType, evaluate: (value: V) => unknown): Field<V, T> {
  return Object.freeze({
    kind: 'expression' as const,
    type,
    evaluate: (value: V) => checkValue(type, evaluate(value)) as T,
  })
}

/**
 * A whole number of 32 bits: `int(e => e.level + 1)`. Null is left out of measures.
 * Evaluation throws MillraceError USER_CODE when the function answers something else.
 */
export function int<V, T extends number | null = number>(evaluate: (value: V) => T): Field<V, Widened<T>> {
  return expression('int', evaluate)
}

/**
 * A whole number of 64 bits: `long(e => e.durationMs * 2)`. Beyond 2^53 the function must answer a bigint, since a number
 * is no longer exact there (docs/decisions/0002-longs.md). Null is left out of measures.
 * Evaluation throws MillraceError USER_CODE when the function answers something else.
 */
export function long<V, T extends number | bigint | null = number>(evaluate: (value: V) => T): Field<V, Widened<T>> {
  return expression('long', evaluate)
}

/**
 * A floating-point number: `double(e => e.durationMs / 60_000)`. Null is left out of measures.
 * Evaluation throws MillraceError USER_CODE when the function answers something else.
 */
export function double<V, T extends number | null = number>(evaluate: (value: V) => T): Field<V, Widened<T>> {
  return expression('double', evaluate)
}

/**
 * Text: `text(e => e.region.toUpperCase())`. Null is left out of measures.
 * Evaluation throws MillraceError USER_CODE when the function answers something else.
 */
export function text<V, T extends string | null = string>(evaluate: (value: V) => T): Field<V, Widened<T>> {
  return expression('text', evaluate)
}

/**
 * True or false: `bool(e => e.rewardGold > 100)`. Null is left out of measures.
 * Evaluation throws MillraceError USER_CODE when the function answers something else.
 */
export function bool<V, T extends boolean | null = boolean>(evaluate: (value: V) => T): Field<V, Widened<T>> {
  return expression('bool', evaluate)
}

/**
 * A moment, as a Date or as ms since 1970; it is a Date wherever it is read: `timestamp(e => e.occurredAt)`.
 * Null is left out of measures. Evaluation throws MillraceError USER_CODE when the function answers something else.
 */
export function timestamp<V, T extends number | Date | null = Date>(evaluate: (value: V) => T): Field<V, Moment<T>> {
  return expression('timestamp', evaluate)
}
