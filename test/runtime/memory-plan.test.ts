import { describe, expect, it } from 'vitest'
import { DEFAULT_MEMORY, memoryPlan, storesProblem } from '../../src/runtime/memory-plan.js'

const MIB = 1024 * 1024

describe('a plan of memory', () => {
  it('spends no more than there is', () => {
    for (const [total, processes, topologies] of [
      [512, 1, 1],
      [2_048, 2, 4],
      [16_384, 4, 16],
    ] as const) {
      const plan = memoryPlan(total * MIB, processes, topologies)
      const { heapBytes, heldBytes, cacheBytes, prefetchBytes, produceBytes, sinkBytes, storeBytes } = plan
      const spent = heapBytes + topologies * (2 * prefetchBytes + produceBytes + sinkBytes + storeBytes)
      expect(spent * processes).toBeLessThan(total * MIB)
      expect(spent * processes).toBeGreaterThan((total * MIB) / 2)
      expect(topologies * (heldBytes + cacheBytes)).toBeLessThan(heapBytes)
    }
  })

  it('gives more of everything where there is more', () => {
    const small = memoryPlan(1_024 * MIB, 1)
    const large = memoryPlan(4_096 * MIB, 1)
    for (const name of Object.keys(small) as (keyof typeof small)[]) expect(large[name]).toBeGreaterThan(small[name])
  })

  it('that is too little is refused with what is needed, which is enough', () => {
    let message = ''
    try {
      memoryPlan(256 * MIB, 2)
    } catch (thrown) {
      message = (thrown as Error).message
    }
    expect(message).toMatch(/^256 MiB of memory are too little for 2 processes/)
    const needed = Number(/at least (\d+) MiB/.exec(message)?.[1])
    expect(() => memoryPlan((needed - 1) * MIB, 2)).toThrow(`${needed - 1} MiB`)
    expect(memoryPlan(needed * MIB, 2).heapBytes).toBeGreaterThan(0)
  })
})

describe('stores', () => {
  it('are too many where they may take more than their share', () => {
    const plan = memoryPlan(1_024 * MIB, 1)
    const most = Math.floor(plan.storeBytes / (64 * MIB))
    expect(most).toBeGreaterThan(0)
    expect(storesProblem(most, plan)).toBeUndefined()
    expect(storesProblem(most + 1, plan)).toContain(`${most + 1} stores may take up to ${(most + 1) * 64} MiB`)
    expect(storesProblem(1_000, DEFAULT_MEMORY)).toBeUndefined()
  })
})
