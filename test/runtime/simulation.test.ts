import { describe, expect, it } from 'vitest'
import { scenarioOf } from './simulation/scenario.js'
import { Simulation } from './simulation/simulation.js'

const SEEDS = Number(process.env.MILLRACE_SIMULATIONS ?? 300)
const FIRST = Number(process.env.MILLRACE_FIRST_SIMULATION ?? 0)

describe('a group of processes that stall, crash, and lose their sessions', () => {
  it.each(['without idle lanes', 'with idle lanes'])(
    'gives the rows of the rule, %s',
    { timeout: 86_400_000 },
    async name => {
      const failures: string[] = []
      const started = Date.now()
      for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
        const scenario = scenarioOf(Math.floor(seed / 2), name === 'with idle lanes')
        const failure = await Simulation.run(scenario, seed)
        if (failure)
          failures.push(
            `seed ${seed} (${scenario.shape}${scenario.hopping ? ', hopping' : ''}, ${scenario.lanes.length} lanes): ${failure}`,
          )
        if (failures.length >= 10) break
      }
      if (process.env.MILLRACE_VERBOSE) console.log(`${name}: ${Date.now() - started} ms`)
      expect(failures).toEqual([])
    },
  )
})
