import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { flag, kafkaConfigFlag } from '../../src/cli/options.js'
import { refuseSecretFlags, secret, secretKafkaSettings } from '../../src/cli/secrets.js'
import { tableUnder } from '../docs/markdown.js'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-secrets-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

describe('secret', () => {
  it('is the variable, or what the file that the other variable names holds', () => {
    expect(secret('PASS', {})).toBeUndefined()
    expect(secret('PASS', { PASS: '', PASS_FILE: '' })).toBeUndefined()
    expect(secret('PASS', { PASS: ' hunter2 ' })).toBe(' hunter2 ')
    expect(secret('PASS', { PASS_FILE: fileOf('plain', 'hunter2') })).toBe('hunter2')
  })

  it('loses the line break at its end, and only that', () => {
    expect(secret('PASS', { PASS_FILE: fileOf('unix', ' a\nb \n') })).toBe(' a\nb ')
    expect(secret('PASS', { PASS_FILE: fileOf('windows', 'hunter2\r\n') })).toBe('hunter2')
  })

  it('is an error where it is given twice, or its file is empty or missing, without the secret', () => {
    const twice = { PASS: 'hunter2', PASS_FILE: fileOf('twice', 'hunter3') }
    expect(() => secret('PASS', twice)).toThrow('PASS and PASS_FILE are both set.')
    expect(() => secret('PASS', { PASS_FILE: fileOf('empty', '\n') })).toThrow(/empty that PASS_FILE names is empty/)
    const missing = join(folder, 'missing')
    expect(() => secret('PASS', { PASS_FILE: missing })).toThrow(/PASS_FILE names cannot be read: ENOENT/)
  })
})

describe('secretKafkaSettings', () => {
  it('has a variable for each secret, in the name of the setting', () => {
    const environment = {
      MILLRACE_KAFKA_SASL_USERNAME: 'alice',
      MILLRACE_KAFKA_SASL_PASSWORD_FILE: fileOf('sasl', 'hunter2\n'),
      MILLRACE_KAFKA_SSL_KEY_PEM: '-----BEGIN\nKEY',
    }
    expect(secretKafkaSettings(environment)).toEqual({
      'sasl.username': 'alice',
      'sasl.password': 'hunter2',
      'ssl.key.pem': '-----BEGIN\nKEY',
    })
    expect(secretKafkaSettings({})).toEqual({})
  })

  it('are those that the documentation lists', () => {
    const listed = tableUnder('docs/operating.md', '## Authentication and secrets')
    const variables = listed.map(([variable = '']) => variable).filter(name => name.startsWith('MILLRACE_KAFKA_'))
    const found = secretKafkaSettings(Object.fromEntries(variables.map(name => [name, name])))
    const asked: string[] = []
    const environment = new Proxy<Record<string, string>>({}, { get: (_, name) => void asked.push(String(name)) })
    secretKafkaSettings(environment)
    expect(Object.values(found)).toEqual(variables)
    expect(asked.filter(name => !name.endsWith('_FILE'))).toEqual(variables)
    for (const [variable = '', text = ''] of listed) {
      const setting = Object.keys(found).find(name => found[name] === variable)
      if (setting !== undefined) expect(text.split(',')[0]).toBe(setting)
    }
  })
})

describe('refuseSecretFlags', () => {
  const said = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
    const errors: string[] = []
    const command = new Command('run')
      .exitOverride()
      .configureOutput({ writeErr: text => errors.push(text) })
      .addOption(flag('--warehouse <address>', 'where to'))
      .addOption(flag('--json', 'how').default(false))
      .addOption(kafkaConfigFlag())
      .hook('preAction', (_, acting) => refuseSecretFlags(acting))
      .action(() => undefined)
    Object.assign(process.env, environment)
    try {
      command.parse(args, { from: 'user' })
    } catch {
      expect(errors).not.toEqual([])
    } finally {
      for (const name of Object.keys(environment)) delete process.env[name]
    }
    expect(errors.join('')).not.toContain('hunter2')
    return errors.join('')
  }

  it.each([
    'postgres://ali:hunter2@host/db',
    'postgresql://:hunter2@host:5432/db',
    'postgres://host/db?user=ali&password=hunter2',
    'postgres:///db?password=hunter2&host=/run',
    'postgres://ali:hunter2 of 2@host/db',
    'http://one:8081, http://ali:hunter2@two:8081/path',
    'http://registry-1, http://ali:hunter2@registry-2',
  ])('an address with a password: %s', address => {
    expect(said(['--warehouse', address])).toMatch(
      /^error: The address of --warehouse .* MILLRACE_WAREHOUSE_PASSWORD, or MILLRACE_WAREHOUSE_PASSWORD_FILE/,
    )
  })

  it.each([
    [
      'sasl.password',
      /MILLRACE_KAFKA_SASL_PASSWORD, MILLRACE_KAFKA_SASL_PASSWORD_FILE, a line of MILLRACE_KAFKA_CONFIG,/,
    ],
    ['ssl.key.pem', /MILLRACE_KAFKA_SSL_KEY_PEM, /],
    [
      'sasl.oauthbearer.assertion.private.key.passphrase',
      /Set it by a line of MILLRACE_KAFKA_CONFIG, or .*config-file/,
    ],
  ])('a secret setting: %s', (setting, advice) => {
    const message = said(['--kafka-config', 'linger.ms=5', '--kafka-config', `${setting}=hunter2`])
    expect(message).toContain(`error: --kafka-config ${setting}=… is a secret`)
    expect(message).toMatch(advice)
  })

  it('what is no secret, and secrets in variables, are fine', () => {
    expect(said(['--warehouse', 'postgres://ali@host:5432/db?sslmode=verify-full', '--json'])).toBe('')
    expect(said(['--kafka-config', 'sasl.username=ali', '--kafka-config', 'ssl.key.location=/run/key'])).toBe('')
    const environment = {
      MILLRACE_WAREHOUSE: 'postgres://a:hunter2@h/d',
      MILLRACE_KAFKA_CONFIG: 'sasl.password=hunter2',
    }
    expect(said([], environment)).toBe('')
  })
})
