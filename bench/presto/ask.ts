import type { TrinoAnswer } from '../../test/services/trino.js'
import { type Answer, type EstimateError, estimateError, sameAnswer, withinStatedError } from './answers.js'
import { type Asked, type Cost, mean } from './figures.js'
import type { PostgresCost } from './postgres-cost.js'
import type { Question } from './questions.js'

/** How a question is asked: Trino. */
export type Ask = (sql: string) => Promise<TrinoAnswer>

/** How far the estimates of an approximate question are off, on both sides. */
export interface Estimates {
  readonly raw: EstimateError
  readonly rolledUp: EstimateError
}

interface Runs {
  readonly cost: Cost
  readonly answers: readonly Answer[]
}

/**
 * Asks a question on both sides, `runs` times after once to warm up, and compares the answers. `exact` is what an
 * approximate one is compared with.
 */
export async function askBoth(
  question: Question,
  runs: number,
  ask: Ask,
  postgres: PostgresCost,
  exact: ReadonlyMap<string, number>,
): Promise<Asked & { readonly estimates?: Estimates }> {
  const { name, title, raw, rolledUp, approximate = false } = question
  const before = await measured(raw, runs, ask, postgres)
  if (rolledUp === undefined) return { name, title, raw: before.cost, wrongAnswers: 0 }
  const after = await measured(rolledUp, runs, ask, postgres)
  const asked = { name, title, raw: before.cost, rolledUp: after.cost }
  if (!approximate) {
    const wrong = after.answers.filter(answer => answer.length === 0 || !sameAnswer(answer, before.answers[0]!))
    return { ...asked, wrongAnswers: wrong.length }
  }
  const wrong = after.answers.filter(answer => !withinStatedError(estimateError(answer, exact)))
  const estimates = {
    raw: estimateError(before.answers[0]!, exact),
    rolledUp: estimateError(after.answers[0]!, exact),
  }
  return { ...asked, estimates, wrongAnswers: wrong.length }
}

async function measured(sql: string, runs: number, ask: Ask, postgres: PostgresCost): Promise<Runs> {
  await ask(sql)
  const before = await postgres.spent()
  const { result: answers, peak } = await postgres.peakSessions(async () => {
    const answers: TrinoAnswer[] = []
    for (let run = 0; run < runs; run++) answers.push(await ask(sql))
    return answers
  })
  const after = await postgres.spent()
  return {
    answers: answers.map(({ rows }) => rows),
    cost: {
      trinoCpu: mean(answers.map(({ stats }) => stats.cpuMs / 1_000)),
      postgresCpu: (after.cpuSeconds - before.cpuSeconds) / runs,
      blocks: Math.round((after.blocks - before.blocks) / runs),
      walls: answers.map(({ stats }) => stats.elapsedMs / 1_000),
      rows: Math.round(mean(answers.map(({ stats }) => stats.physicalInputRows))),
      sessions: peak,
    },
  }
}
