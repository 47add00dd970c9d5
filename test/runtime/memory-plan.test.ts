import { describe, expect, it } from 'vitest'
import { memoryPlan } from '../../src/runtime/memory-plan.js'

const MIB = 1024 * 1024

describe('a plan of memory', () => {
  it('spends no more than there is', () => {
    for (const [total, processes, stores] of [
      [1_024, 1, 4],
      [2_048, 2, 4],
      [16_384, 4, 16],
    ] as const) {
      const plan = memoryPlan(total * MIB, processes, stores)
      const { heapBytes, heldBytes, cacheBytes, prefetchBytes, restoreBytes, produceBytes, sinkBytes } = plan
      const spent = heapBytes + prefetchBytes + restoreBytes + produceBytes + sinkBytes + stores * 64 * MIB
      expect(spent * processes).toBeLessThan(total * MIB)
      expect(heldBytes + cacheBytes).toBeLessThan(heapBytes)
      for (const bytes of Object.values(plan)) expect(bytes).toBeGreaterThan(8 * MIB)
    }
  })

  it('gives more of everything where there is more', () => {
    const small = memoryPlan(1_024 * MIB, 1, 4)
    const large = memoryPlan(4_096 * MIB, 1, 4)
    for (const name of Object.keys(small) as (keyof typeof small)[]) expect(large[name]).toBeGreaterThan(small[name])
  })

  it('that is too little is refused with what is needed, which is enough', () => {
    let message = ''
    try {
      memoryPlan(256 * MIB, 2, 8)
    } catch (thrown) {
      message = (thrown as Error).message
    }
    expect(message).toMatch(/^256 MiB of memory are too little for 2 processes with up to 8 stores each/)
    const needed = Number(/at least (\d+) MiB/.exec(message)?.[1])
    expect(() => memoryPlan((needed - 1) * MIB, 2, 8)).toThrow(`${needed - 1} MiB`)
    expect(memoryPlan(needed * MIB, 2, 8).heapBytes).toBeGreaterThan(0)
  })
})
