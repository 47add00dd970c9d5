import { repartition, type Stream } from 'millrace'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { type Field, int } from '../../src/aggregates/field.js'
import { logBucket } from '../../src/aggregates/log-bucket.js'
import { LogBuckets } from '../../src/model/log-buckets.js'
import { events, type QuestEvent } from '../operators/events.js'

interface Quest {
  durationMs: number
  gold: number | bigint | null
  userId: string
}

const quest: Quest = { durationMs: 1234, gold: 5n, userId: 'u' }

describe('logBucket', () => {
  it('is an int expression that knows its accuracy', () => {
    expect(logBucket<Quest>('durationMs')).toMatchObject({ kind: 'expression', type: 'int', accuracy: 0.01 })
    expect(logBucket<Quest>('durationMs', { accuracy: 0.05 }).accuracy).toBe(0.05)
    expect(Object.isFrozen(logBucket<Quest>('durationMs'))).toBe(true)
  })

  it('takes fields and expressions, numbers and bigints', () => {
    const buckets = new LogBuckets(0.01)
    expect(logBucket<Quest>('durationMs').evaluate(quest)).toBe(buckets.bucketOf(1234))
    expect(logBucket<Quest>('gold').evaluate(quest)).toBe(buckets.bucketOf(5))
    expect(logBucket(int((e: Quest) => -e.durationMs)).evaluate(quest)).toBe(-buckets.bucketOf(1234))
  })

  it('is null where the field is, which no key column takes', () => {
    expect(logBucket<Quest>('gold').evaluate({ ...quest, gold: null })).toBeNull()
  })

  it('refuses what is no number', () => {
    expect(() => logBucket<Quest>('durationMs').evaluate({ ...quest, durationMs: Number.NaN })).toThrow(
      "logBucket('durationMs') takes numbers, but got NaN. Filter such values before.",
    )
    expect(() => logBucket<Quest>('durationMs').evaluate({ userId: 'u' } as never)).toThrow(/but got undefined/)
    expect(() => logBucket<Quest>('durationMs', { accuracy: 1 })).toThrow(/must be from 0.0001 to 0.5/)
  })

  it('is typed', () => {
    expectTypeOf(logBucket<Quest>('durationMs')).toEqualTypeOf<Field<Quest, number>>()
    // @ts-expect-error text has no logarithm
    logBucket<Quest>('userId')
    const keyed = events.pipe(
      repartition('by-bucket', { by: { questType: 'questType', bucket: logBucket('durationMs', { accuracy: 0.02 }) } }),
    )
    expectTypeOf(keyed).toEqualTypeOf<Stream<{ readonly questType: string; readonly bucket: number }, QuestEvent>>()
    // @ts-expect-error text has no logarithm
    events.pipe(repartition('by-bucket', { by: { bucket: logBucket('questType') } }))
  })
})
