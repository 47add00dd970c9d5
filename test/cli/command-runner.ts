import { checkCommand } from '../../src/cli/check.js'
import { type DescribeFormat, describeCommand } from '../../src/cli/describe.js'
import { loadTopologies } from '../../src/cli/load-topology.js'
import { messageOf } from '../../src/model/errors.js'

/** What a command printed, and its exit code. */
export interface CommandResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function runCommand([command, ...given]: readonly string[]): Promise<CommandResult> {
  const out: string[] = []
  const err: string[] = []
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) }
  let code = 0
  if (command === 'check') code = await checkCommand(given, io)
  else if (command === 'describe') {
    const [format, ...files] = given
    code = await describeCommand(files, { format: format as DescribeFormat }, io)
  } else {
    const loaded = loadTopologies(given[0] as string)
    await loaded.then(
      topologies => out.push(...topologies.map(topology => topology.name)),
      (thrown: unknown) => err.push(messageOf(thrown)),
    )
  }
  return { code, out: out.join('\n'), err: err.join('\n') }
}

// A process of its own, because the loader of the test runner is not the one that commands use.
const results: CommandResult[] = []
for (const command of JSON.parse(process.argv[2] as string) as readonly (readonly string[])[]) {
  results.push(await runCommand(command))
}
process.stdout.write(JSON.stringify(results))
