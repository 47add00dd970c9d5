import { describe, expect, it } from 'vitest'
import { EntrySize } from '../../src/runtime/entry-size.js'

describe('the size of an entry', () => {
  it('follows what the last entries took', () => {
    const size = new EntrySize()
    const first = size.bytes
    expect(first).toBeGreaterThan(400)
    for (let i = 0; i < 1_000; i++) size.note(10_000)
    expect(size.bytes).toBeGreaterThan(25_000)
    for (let i = 0; i < 1_000; i++) size.note(100)
    expect(size.bytes).toBeCloseTo(first, 0)
  })
})
