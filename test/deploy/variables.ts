import { secretKafkaSettings } from '../../src/cli/secrets.js'
import { flagsOf } from '../docs/cli.js'
import { textOf } from '../docs/markdown.js'

const COMMANDS = ['run', 'produce', 'load', 'topics', 'describe', 'codegen', 'start']

/** The flags of all commands, and their variables. */
export async function knownFlags(): Promise<{ readonly flags: Set<string>; readonly variables: Set<string> }> {
  const listed = (await Promise.all(COMMANDS.map(flagsOf))).flat()
  return {
    flags: new Set(listed.map(({ flag }) => flag.split(' ')[0] as string)),
    variables: new Set(listed.map(({ variable }) => variable)),
  }
}

/** Variables of secrets, which have no flag: the ones for Kafka's settings, and those that the adapters ask for by name. */
export function isSecretVariable(variable: string): boolean {
  const name = variable.replace(/_FILE$/, '')
  if (Object.keys(secretKafkaSettings({ [name]: 'x' })).length > 0) return true
  return textOf('src/cli/adapters.ts').includes(`secret('${name}')`)
}
