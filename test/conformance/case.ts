/** A case of a vector file; the format is that of `FORMAT.md` beside the vectors. */
export interface Case {
  readonly id: string
  readonly spec: Spec
  readonly input: readonly InputRecord[]
  readonly output?: readonly OutputRecord[]
  readonly droppedAt?: readonly number[]
  readonly ksDefect?: readonly string[]
  readonly outputIdeal?: readonly OutputRecord[]
  readonly droppedAtIdeal?: readonly number[]
}

export interface InputRecord {
  readonly topic: string
  readonly key: string | null
  readonly value: { readonly n: number } | null
  readonly ts: number
}

export interface OutputRecord {
  readonly after: number
  readonly key: string | null
  readonly value: unknown
  readonly ts: number
  readonly windowStart?: number
  readonly windowEnd?: number
}

export type Predicate =
  | { readonly ge: number }
  | { readonly mod: number; readonly eq: number }
  | { readonly key: string }

export interface Step {
  readonly op: string
  readonly pred?: Predicate
  readonly add?: number
  readonly suffix?: string
  readonly mod?: number
}

export interface Window {
  readonly type: string
  readonly sizeMs: number
  readonly advanceMs?: number
  readonly graceMs: number
}

export interface Spec {
  readonly kind: string
  readonly window?: Window
  readonly emit?: 'update' | 'final'
  readonly op?: string
  readonly reducer?: string
  readonly aggregates?: readonly string[]
  readonly deleteOnN?: number
  readonly ops?: readonly Step[]
}

/** A row of `partition.jsonl`. */
export interface PartitionCase {
  readonly id: string
  readonly keyHex: string
  readonly murmur2: number
  readonly partition: Readonly<Record<string, number>>
}
