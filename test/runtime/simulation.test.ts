import { describe, expect, it } from 'vitest'
import { MUTATIONS } from './simulation/mutations.js'
import { scenarioOf } from './simulation/scenario.js'
import { Simulation } from './simulation/simulation.js'

/** Simulations of each kind; tens of thousands for a long search. */
const SEEDS = Number(process.env.MILLRACE_SIMULATIONS ?? 300)
const FIRST = Number(process.env.MILLRACE_FIRST_SIMULATION ?? 0)
/** Simulations of a planted fault at the most; the first one that shows it ends the search. */
const FAULTY_SEEDS = 1_500
const FAILURES_AT_MOST = 5

/** Runs simulations until `limit` of them failed; the answer is what went wrong. Two seeds share each scenario. */
async function search(idle: boolean, seeds: number, limit: number): Promise<string[]> {
  const failures: string[] = []
  for (let seed = FIRST; seed < FIRST + seeds && failures.length < limit; seed++) {
    const scenario = scenarioOf(Math.floor(seed / 2), idle)
    const failure = await Simulation.run(scenario, seed)
    const { shape, hopping, lanes } = scenario
    if (failure)
      failures.push(`seed ${seed} (${hopping ? 'hopping, ' : ''}${shape}, ${lanes.length} lanes): ${failure}`)
  }
  return failures
}

describe('processes of a group that stall, crash, are replaced, and lose their sessions', {
  timeout: 86_400_000,
}, () => {
  it('give exactly the rows of the rule where no lane is idle', async () => {
    expect(await search(false, SEEDS, FAILURES_AT_MOST)).toEqual([])
  })

  it('give every accepted record in a row or in the count of what came late after idleness', async () => {
    expect(await search(true, SEEDS, FAILURES_AT_MOST)).toEqual([])
  })

  it.each(MUTATIONS)('are found out when $name', async ({ idle, plant }) => {
    const mend = plant()
    try {
      expect(await search(idle, FAULTY_SEEDS, 1)).toHaveLength(1)
    } finally {
      mend()
    }
  })
})
