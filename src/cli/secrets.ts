import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { isSecretSetting } from '../log/kafka/settings.js'
import { MillraceError, messageOf } from '../model/errors.js'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The secret `name`: the value of that environment variable, or the text of the file that `<name>_FILE` names (a Docker
 * or Kubernetes secret), without the line break at its end. An empty variable counts as none.
 * @throws MillraceError INVALID_OPTION where both are set, or the file cannot be read or is empty.
 */
export function secret(name: string, environment: Environment = process.env): string | undefined {
  const value = environment[name] || undefined
  const file = environment[`${name}_FILE`] || undefined
  if (file === undefined) return value
  if (value !== undefined) {
    throw new MillraceError('INVALID_OPTION', `${name} and ${name}_FILE are both set. Keep one of them.`)
  }
  const text = contents(name, file).replace(/\r?\n$/, '')
  if (text !== '') return text
  throw new MillraceError(
    'INVALID_OPTION',
    `The file ${file} that ${name}_FILE names is empty. Put the secret into it.`,
  )
}

function contents(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (thrown) {
    const reason = messageOf(thrown)
    throw new MillraceError('INVALID_OPTION', `The file that ${name}_FILE names cannot be read: ${reason}.`, {
      cause: thrown,
    })
  }
}

/** librdkafka settings that have a variable of their own: `sasl.password` is `MILLRACE_KAFKA_SASL_PASSWORD`. */
const SECRET_SETTINGS = [
  'sasl.username',
  'sasl.password',
  'ssl.key.password',
  'ssl.key.pem',
  'ssl.keystore.password',
  'sasl.oauthbearer.client.secret',
]

function variableOf(setting: string): string {
  return `MILLRACE_KAFKA_${setting.replaceAll('.', '_').toUpperCase()}`
}

/** Kafka settings from the variables of their own. @throws MillraceError as `secret` does. */
export function secretKafkaSettings(environment: Environment = process.env): Record<string, string> {
  const given = SECRET_SETTINGS.map(setting => [setting, secret(variableOf(setting), environment)] as const)
  return Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** Whether an address carries a password: every user of the machine would see it in the list of processes. */
function holdsPassword(address: string): boolean {
  if (/(^|,)\s*[a-z][a-z\d+.-]*:\/\/[^/?#]*:[^/?#]*@/i.test(address)) return true
  return URL.canParse(address) && /(^|[?&])password=/i.test(new URL(address).search)
}

/**
 * Ends a command with a message where one of its flags, on the command line, holds a secret. The same value is fine in a
 * variable. The message names the variable to use and repeats no value.
 */
export function refuseSecretFlags(command: Command): void {
  for (const option of command.options) {
    const name = option.attributeName()
    if (command.getOptionValueSource(name) !== 'cli') continue
    const value: unknown = command.getOptionValue(name)
    if (typeof value === 'string' && holdsPassword(value)) {
      command.error(
        `error: The address of ${option.long} holds a password, which every list of processes would show. Leave it out and set ${option.envVar}_PASSWORD, or ${option.envVar}_PASSWORD_FILE to the name of a file with it.`,
      )
    }
    const secrets = typeof value === 'object' && value !== null ? Object.keys(value).filter(isSecretSetting) : []
    for (const setting of secrets) {
      const own = SECRET_SETTINGS.includes(setting) ? `${variableOf(setting)}, ${variableOf(setting)}_FILE, ` : ''
      command.error(
        `error: ${option.long} ${setting}=… is a secret, which every list of processes would show. Set it by ${own}a line of ${option.envVar}, or a line of the file of --kafka-config-file.`,
      )
    }
  }
}
