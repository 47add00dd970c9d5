import type { FieldShape } from '../topology/shape.js'
import type { CountedValue } from './hot-values.js'
import { repartitionHash } from './key-encoding.js'
import type { Sample } from './sample.js'
import { NULL_CODE, type SampleColumn, type Scalar } from './sample-column.js'

/** A key that a topic could be partitioned by. */
export interface KeyCandidate {
  /** `questType`, `questType + region`, `(message key)`. */
  readonly name: string
  /** Empty for the key that the records have today. */
  readonly fields: readonly FieldShape[]
  /** A code an event; {@link NULL_CODE} where there is no key. */
  readonly codes: Int32Array
  /** The hash that the partition of a code follows from. */
  hashOf(code: number): number
  /** Codes are numbers from 0 to `cardinality`. */
  readonly exact: boolean
  readonly cardinality: number
  readonly nulls: number
  hottest(wanted: number): readonly CountedValue<string>[]
  readonly longestBytes: number
}

/** The name of the candidate that stands for the records' own key. */
const MESSAGE_KEY = '(message key)'

/** Pairs are made of fields whose values, multiplied, are at most so many. */
const LARGEST_PAIR = 20_000

function textOf(value: Scalar): string {
  return String(value)
}

function ofColumn(name: string, fields: readonly FieldShape[], column: SampleColumn): KeyCandidate {
  return {
    name,
    fields,
    codes: column.codes,
    hashOf: code => column.hashOf(code),
    exact: column.exact,
    cardinality: column.cardinality,
    nulls: column.nulls,
    hottest: wanted => column.hottest(wanted).map(({ value, count }) => ({ value: textOf(value), count })),
    longestBytes: column.longestBytes,
  }
}

/** The candidate that a field makes. */
export function fieldCandidate(sample: Sample, field: FieldShape): KeyCandidate {
  return ofColumn(field.name, [field], sample.column(field.name))
}

/** The key that the records have today. */
export function messageKeyCandidate(sample: Sample): KeyCandidate {
  return ofColumn(MESSAGE_KEY, [], sample.messageKeys)
}

/** The field whose values are those of the records' keys, event by event; undefined where there is none. */
export function fieldOfMessageKey(sample: Sample): string | undefined {
  const keys = sample.messageKeys
  if (keys.nulls === sample.events) return undefined
  for (const [name, column] of sample.columns) {
    if (column.exact !== keys.exact || column.nulls !== keys.nulls) continue
    if (!column.exact) {
      const [a, b] = [column.hottest(3), keys.hottest(3)]
      const same = a.every(({ value, count }, i) => String(value) === b[i]?.value && count === b[i]?.count)
      if (same && column.cardinality === keys.cardinality) return name
      continue
    }
    if (column.values.length !== keys.values.length) continue
    const text = (value: Scalar | undefined) => Buffer.from(String(value), 'utf8').toString('latin1')
    if (column.values.some((value, i) => text(value) !== keys.values[i])) continue
    let same = true
    for (let i = 0; same && i < sample.events; i++) same = column.codes[i] === keys.codes[i]
    if (same) return name
  }
  return undefined
}

/** True where two fields have few enough values to be a key together. */
export function pairable(a: SampleColumn, b: SampleColumn): boolean {
  if (!a.exact || !b.exact || a.values.length < 2 || b.values.length < 2) return false
  return a.values.length * b.values.length <= LARGEST_PAIR
}

/** The candidate that two fields make together. Where one of them is null the key has a null in it; where both are, there is none. */
export function pairCandidate(sample: Sample, first: FieldShape, second: FieldShape): KeyCandidate {
  const [a, b] = [sample.column(first.name), sample.column(second.name)]
  const width = b.values.length + 1
  const numbers = new Int32Array((a.values.length + 1) * width).fill(NULL_CODE)
  const values: (readonly [Scalar | null, Scalar | null])[] = []
  const counts: number[] = []
  const codes = new Int32Array(sample.events)
  let nulls = 0
  for (let i = 0; i < sample.events; i++) {
    const [codeA, codeB] = [a.codes[i] as number, b.codes[i] as number]
    if (codeA === NULL_CODE && codeB === NULL_CODE) {
      codes[i] = NULL_CODE
      nulls++
      continue
    }
    const at = (codeA + 1) * width + codeB + 1
    let number = numbers[at] as number
    if (number === NULL_CODE) {
      number = values.length
      numbers[at] = number
      values.push([a.values[codeA] ?? null, b.values[codeB] ?? null])
      counts.push(0)
    }
    ;(counts[number] as number)++
    codes[i] = number
  }
  const fields = [first, second]
  const hash = repartitionHash(fields, sample.serde)
  const hashes = values.map(hash)
  return {
    name: `${first.name} + ${second.name}`,
    fields,
    codes,
    hashOf: code => hashes[code] as number,
    exact: true,
    cardinality: values.length,
    nulls,
    hottest: wanted =>
      values
        .map((pair, number) => ({ value: pair.join(' + '), count: counts[number] as number }))
        .sort((x, y) => y.count - x.count)
        .slice(0, wanted),
    longestBytes: a.longestBytes + b.longestBytes,
  }
}
