import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rangeAssignment } from '../../../src/log/embedded/range-assignment.js'

describe('rangeAssignment', () => {
  const shares = (members: { name: string; topics: string[] }[], counts: Record<string, number>) => {
    const shared: Record<string, string[]> = Object.fromEntries(members.map(({ name }) => [name, []]))
    for (const [id, { member }] of rangeAssignment(members, topic => counts[topic] ?? 0)) shared[member.name]?.push(id)
    return shared
  }

  it('gives consecutive partitions, the first members one more', () => {
    const members = ['m0', 'm1', 'm2'].map(name => ({ name, topics: ['a'] }))
    expect(shares(members, { a: 7 })).toEqual({
      m0: ['a/0', 'a/1', 'a/2'],
      m1: ['a/3', 'a/4'],
      m2: ['a/5', 'a/6'],
    })
  })

  it('gives partitions of a topic to its subscribers only, and none of a topic that does not exist', () => {
    const members = [
      { name: 'm0', topics: ['a', 'absent'] },
      { name: 'm1', topics: ['a', 'b'] },
    ]
    expect(shares(members, { a: 2, b: 2 })).toEqual({ m0: ['a/0'], m1: ['a/1', 'b/0', 'b/1'] })
  })

  it('shares out every partition once, evenly, and co-partitioned for equal counts', () => {
    const cases = fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 }), (size, partitions) => {
      const members = Array.from({ length: size }, (_, i) => ({ name: `m${i}`, topics: ['a', 'b'] }))
      const shared = shares(members, { a: partitions, b: partitions })
      expect(Object.values(shared).flat()).toHaveLength(2 * partitions)
      const sizes = Object.values(shared).map(ids => ids.length / 2)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      for (const ids of Object.values(shared)) {
        const of = (topic: string) => ids.filter(id => id.startsWith(topic)).map(id => id.slice(2))
        expect(of('a')).toEqual(of('b'))
      }
    })
    fc.assert(cases)
  })
})
