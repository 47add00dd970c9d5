import { describe, expect, it } from 'vitest'
import { memoryEngine } from '../../../src/state/memory/memory-engine.js'
import { bytes, END, put, scan, storeContract } from '../store-contract.js'

storeContract('memory', memoryEngine)

describe('memoryEngine', () => {
  it('shares nothing with another engine object', async () => {
    const [a, b] = [await memoryEngine().open('same'), await memoryEngine().open('same')]
    await a.write([put('k', 'v')])
    expect(await scan(b, '', END)).toEqual([])
  })

  it('does not keep the buffer alive that a value was a view of', async () => {
    const store = await memoryEngine().open('views')
    const large = Buffer.alloc(1_000_000)
    await store.write([{ type: 'put', key: bytes('k'), value: large.subarray(0, 10) }])
    const [value] = await store.getMany([bytes('k')])
    expect(value?.buffer.byteLength).toBeLessThan(large.length)
  })
})
