import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Workload } from '../../bench/workload.js'
import { wireHeader } from '../../src/serde/wire-format.js'

describe('the workload of the roll-up', () => {
  it('is byte for byte the one that Kafka Streams was measured with, and counts it', () => {
    const workload = new Workload(wireHeader(1))
    const hash = createHash('sha256')
    const events = 20_000
    let bytes = 0
    for (let i = 0; i < events; i++) {
      const value = workload.next()
      bytes += value.length
      hash.update(value)
    }
    // What the Java generator gives, whose schema has the id 1.
    expect(bytes).toBe(1_785_389)
    expect(hash.digest('hex')).toBe('d43e9bc28888e3ff45b152eac094f8320646ed105d9877dd0c421e00a5d38fbc')
    const cells = [...workload.expected.values()]
    expect(cells).toHaveLength(211)
    expect(cells.reduce((sum, cell) => sum + cell.events, 0)).toBe(events)
  })
})
