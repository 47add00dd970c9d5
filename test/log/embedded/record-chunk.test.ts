import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packChunks, RecordChunkCursor, RecordChunkWriter } from '../../../src/log/embedded/record-chunk.js'
import { plain } from '../member.js'

const text = fc.option(fc.string({ unit: 'grapheme', maxLength: 20 }))
const record = fc.record({
  key: text,
  value: text,
  timestamp: fc.integer({ min: 0, max: 2 ** 45 }),
  headers: fc.array(fc.tuple(fc.string(), fc.string({ unit: 'grapheme' })), { maxLength: 2 }),
  /** Distance to the record before: more than 1 where records between were compacted away. */
  gap: fc.integer({ min: 1, max: 5 }),
})

describe('record chunks', () => {
  it('give back the records of any range and number, over gaps and over several chunks', () => {
    const cases = fc.property(
      fc.array(fc.array(record, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
      fc.nat(1e9),
      fc.nat(40),
      fc.nat(40),
      fc.integer({ min: 1, max: 30 }),
      (chunks, start, skip, length, max) => {
        let offset = start
        const written: object[] = []
        const bytes = chunks.map(records => {
          const writer = new RecordChunkWriter()
          const base = offset
          for (const { key, value, timestamp, headers, gap } of records) {
            writer.add(
              key === null ? null : Buffer.from(key),
              value === null ? null : Buffer.from(value),
              timestamp,
              headers,
              offset - base,
            )
            written.push({ partition: 3, offset, timestamp, key, value, headers })
            offset += gap
          }
          const finished = writer.finish(base, 77)
          expect(finished.lastOffset).toBe(offset - (records.at(-1)?.gap ?? 0))
          return finished.bytes
        })
        const [from, to] = [start + skip, start + skip + length]
        const inRange = (at: object) => 'offset' in at && Number(at.offset) >= from && Number(at.offset) < to
        const batch = packChunks('t', 3, bytes, from, to, max)
        const expected = written.filter(inRange).slice(0, max)
        expect(plain(batch)).toEqual(expected.length === 0 ? [] : expected)
        expect(batch.count).toBe(expected.length)
      },
    )
    fc.assert(cases)
  })

  it('are full by bytes or by number', () => {
    const large = new RecordChunkWriter()
    large.add(null, Buffer.alloc(70_000), 1, [])
    expect(large.full).toBe(true)
    const many = new RecordChunkWriter()
    for (let i = 0; i < 999; i++) many.add(null, null, 1, [])
    expect(many.full).toBe(false)
    many.add(null, null, 1, [])
    expect(many.full).toBe(true)
  })

  it('of an unknown format are refused', () => {
    expect(() => new RecordChunkCursor(Buffer.alloc(30, 9))).toThrow(/format 9/)
  })
})
