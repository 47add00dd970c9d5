import { describe, expect, it } from 'vitest'
import { sinkChaos } from '../../chaos/sink.js'
import { postgresAvailable } from '../services/postgres.js'

describe.skipIf(postgresAvailable() !== undefined)('chaos at the sink', () => {
  it.each(['postgres', 'redshift'] as const)(
    '%s: killed writers leave no wrong cell, and do without fencing',
    async target => {
      const lines: string[] = []
      const report = (line: string) => void lines.push(line)
      const result = await sinkChaos({ kills: 4, unfencedKills: 5, keys: 1_000, seed: 7, targets: [target], report })
      expect(lines.filter(line => line.startsWith('Wrong'))).toEqual([])
      expect(result).toMatchObject({ kills: 4, wrongCells: 0, unfencedKills: 5 })
      expect(result.cells).toBeGreaterThan(7_000)
      expect(result.flushes).toBeGreaterThan(50)
      expect(result.unfencedWrongCells).toBeGreaterThan(0)
      expect(Object.values(result.faults).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
    },
    180_000,
  )
})
