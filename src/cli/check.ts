import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from '../model/errors.js'
import type { Topology } from '../topology/node.js'
import type { Problem } from '../topology/problem.js'
import { validate } from '../topology/validate.js'
import { type Finding, formatFinding } from './finding.js'
import type { Io } from './io.js'
import { loadTopologies, shownPath } from './load-topology.js'
import { checkTypes, type TypeFinding, type TypeReport } from './type-check.js'
import { typeMessage } from './type-message.js'

/** A problem's node without its place in the graph, as the text of the file shows it. */
function titleOf(problem: Problem): string {
  return problem.node.replace(/ \(operator \d+\)$/, '')
}

/** True where the compiler and the validation speak of the same mistake. */
function same(finding: TypeFinding, problem: Problem): boolean {
  if (finding.title !== titleOf(problem)) return false
  if (problem.code === 'MISSING_WINDOW' || problem.code === 'NOT_A_TABLE') return finding.message.includes('"a stream"')
  return problem.message.includes(`"${finding.subject}"`)
}

/** Where in the text a problem's node is; a name that is used twice is at its last place. */
function placed(file: string, problem: Problem, calls: TypeReport['calls']): Finding {
  const found = calls.filter(call => call.title === titleOf(problem))
  const call = problem.code === 'DUPLICATE_NAME' ? found.at(-1) : found[0]
  return { file, ...call, node: problem.node, message: problem.message }
}

function merged(file: string, types: TypeReport, problems: readonly Problem[]): readonly Finding[] {
  const told = new Set<Problem>()
  const typed = types.findings.map((finding): Finding => {
    const problem = problems.find(one => !told.has(one) && same(finding, one))
    if (problem) told.add(problem)
    const node = problem?.node ?? (finding.code === MISSING_MODULE ? `import "${finding.subject}"` : finding.title)
    return {
      file: finding.file,
      line: finding.line,
      column: finding.column,
      ...(node !== undefined && { node }),
      message: problem?.message ?? typeMessage(finding),
    }
  })
  return [...typed, ...problems.filter(problem => !told.has(problem)).map(one => placed(file, one, types.calls))]
}

/** What the compiler says of a file that does not exist. */
const NO_FILE: TypeReport = { findings: [], calls: [] }

interface Checked {
  readonly topologies: readonly Topology[]
  readonly findings: readonly Finding[]
}

async function checkFile(file: string, types: TypeReport): Promise<Checked> {
  try {
    const topologies = await loadTopologies(file)
    return { topologies, findings: merged(file, types, topologies.flatMap(validate)) }
  } catch (thrown) {
    // What the compiler said already (a module that is not there, a syntax error) is not said again.
    const findings = merged(file, types, [])
    const explained = types.findings.some(({ code }) => code === MISSING_MODULE || code < FIRST_SEMANTIC)
    return { topologies: [], findings: explained ? findings : [...findings, ...unloadable(file, thrown).findings] }
  }
}

/** Cannot find module. */
const MISSING_MODULE = 2307
/** The compiler's codes below are of syntax. */
const FIRST_SEMANTIC = 2000

function unloadable(file: string, thrown: unknown): Checked {
  return { topologies: [], findings: [{ file, message: messageOf(thrown) }] }
}

/** Topologies of one name would join one consumer group and share its topics. */
function sharedNames(checked: ReadonlyMap<string, Checked>): readonly Finding[] {
  const first = new Map<string, string>()
  return [...checked].flatMap(([file, { topologies }]) =>
    topologies.flatMap(({ name }): Finding[] => {
      const other = first.get(name)
      first.set(name, other ?? file)
      if (other === undefined) return []
      const where = other === file ? 'this file' : shownPath(other)
      const message = `${where} has a topology of that name, too. Both would be one consumer group and share its topics; rename one.`
      return [{ file, node: `topology "${name}"`, message }]
    }),
  )
}

/**
 * `millrace check FILE…`: runs the type checker on each file, builds its topologies and validates them. Prints all
 * problems at once, each with file, node, reason and remedy.
 * @returns the exit code: 0, or 1 when something is wrong.
 */
export async function checkCommand(files: readonly string[], io: Io): Promise<number> {
  if (files.length === 0) {
    io.err('Name at least one file: millrace check topologies/quest-minute.ts')
    return 1
  }
  const paths = [...new Set(files.map(file => resolve(file)))]
  const types = await checkTypes(paths.filter(path => existsSync(path)))
  const checked = new Map<string, Checked>()
  for (const path of paths) checked.set(path, await checkFile(path, types.get(path) ?? NO_FILE))
  const findings = [...[...checked.values()].flatMap(one => one.findings), ...sharedNames(checked)]
  for (const finding of findings) io.out(formatFinding(finding))
  if (findings.length > 0) {
    io.out(`${findings.length} ${findings.length === 1 ? 'problem' : 'problems'}.`)
    return 1
  }
  for (const [file, { topologies }] of checked) {
    io.out(`${shownPath(file)}: ${topologies.map(({ name }) => `topology "${name}"`).join(', ')}: no problems.`)
  }
  return 0
}
