import { resolve } from 'node:path'
import { MillraceError, messageOf } from '../model/errors.js'
import type { Topology } from '../topology/node.js'
import { assertValid } from '../topology/validate.js'
import { loadTopologies, shownPath } from './load-topology.js'

/**
 * The topologies of all files, none twice and each sound.
 * @throws MillraceError INVALID_TOPOLOGY or LOAD with all problems of all files.
 */
export async function soundTopologies(files: readonly string[]): Promise<readonly Topology[]> {
  const topologies: Topology[] = []
  const problems: MillraceError[] = []
  const fileOf = new Map<string, string>()
  for (const file of new Set(files.map(one => resolve(one)))) {
    try {
      for (const topology of await loadTopologies(file)) {
        const other = fileOf.get(topology.name)
        if (other !== undefined) {
          const message = `${shownPath(other)} and ${shownPath(file)} both have a topology "${topology.name}". They would be one consumer group and share its topics; rename one.`
          problems.push(new MillraceError('INVALID_TOPOLOGY', message))
        }
        fileOf.set(topology.name, file)
        topologies.push(topology)
        try {
          assertValid(topology)
        } catch (thrown) {
          problems.push(asProblem(`${shownPath(file)}: `, thrown))
        }
      }
    } catch (thrown) {
      problems.push(asProblem('', thrown))
    }
  }
  const [first] = problems
  if (first === undefined) return topologies
  throw new MillraceError(first.code, problems.map(problem => problem.message).join('\n'))
}

function asProblem(before: string, thrown: unknown): MillraceError {
  const code = thrown instanceof MillraceError ? thrown.code : 'LOAD'
  return new MillraceError(code, `${before}${messageOf(thrown)}`, { cause: thrown })
}
