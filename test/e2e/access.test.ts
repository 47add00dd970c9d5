import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { kafkaAvailable } from '../services/kafka.js'
import { type SecureKafkaService, startSecureKafka, type User } from '../services/secure-kafka.js'
import { allEqual, compareCells, expectedCells, generated } from './quest-cells.js'
import { Rig } from './rig.js'

const postgres = inject('postgres') ?? ''
const unavailable = postgres === '' || kafkaAvailable() !== undefined

/** The command lines of all processes, as every user of the machine sees them. */
function commandLines(): string {
  const processes = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  const lines = processes.map(id => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ')
    } catch {
      return ''
    }
  })
  return lines.join('\n')
}

describe.skipIf(unavailable)('a worker whose user has few rights', () => {
  let kafka: SecureKafkaService

  beforeAll(async () => {
    kafka = await startSecureKafka({
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    })
  }, 120_000)

  afterAll(() => kafka?.stop())

  /** Grants rights; `resource` are arguments such as `--topic quest-events`. */
  const grant = (user: User, operations: readonly string[], resource: readonly string[], pattern = 'prefixed') =>
    kafka.tool(
      'org.apache.kafka.tools.AclCommand',
      ...['--bootstrap-server', kafka.inside, '--add', '--allow-principal', `User:${user}`],
      ...operations.flatMap(operation => ['--operation', operation]),
      ...[...resource, '--resource-pattern-type', pattern],
    )
  const rigOf = (user: User) =>
    Rig.create({
      kafka: kafka.inside,
      postgres,
      flags: { kafka: kafka.brokers, 'log-level': 'debug' },
      env: { MILLRACE_KAFKA_SASL_USERNAME: user },
    })
  /** Settings that are no secret, as flags take them. */
  const settings = (user: User) => {
    const { 'sasl.username': _, 'sasl.password': __, ...open } = kafka.settings(user, 'SCRAM-SHA-512')
    return Object.entries({ ...open, debug: 'security' })
      .map(([name, value]) => `${name}=${value}`)
      .join('\n')
  }

  it('runs a topology with the rights of one prefix, and shows no secret anywhere', async () => {
    const rig = await rigOf('alice')
    const prefix = `${rig.namespace}.`
    await grant('alice', ['Create', 'Read', 'Write'], ['--topic', prefix])
    await grant('alice', ['Read'], ['--group', prefix])
    await grant('alice', ['Write'], ['--transactional-id', prefix])
    await grant('alice', ['Read'], ['--topic', rig.source], 'literal')
    const data = { seed: 7, start: Date.now() - 3_600_000, spanMs: 3_600_000, total: 5_000 }
    await rig.produce({ ...data, partitions: 2 })
    const password = join(rig.state, 'password')
    await writeFile(password, `${kafka.passwords.alice}\n`)
    const worker = rig.worker(
      { 'kafka-config': settings('alice') },
      { MILLRACE_KAFKA_SASL_PASSWORD_FILE: password, MILLRACE_WAREHOUSE_PASSWORD: 'Pa55-w0rd of the warehouse' },
    )
    await rig.filled(data.total, 120_000, () => worker.output.slice(-3_000))
    const [, address] = await worker.logged(/Health and metrics are at (http:\S+)\./)
    const metrics = await (await fetch(`${address}/metrics`)).text()
    expect(metrics).toContain('millrace_')
    const lines = commandLines()
    expect(lines).toContain('millrace')
    expect((await worker.end('SIGTERM')).code).toBe(0)
    expect(compareCells(expectedCells(generated(data)), await rig.database.cells())).toMatchObject(allEqual)
    expect(worker.output.length).toBeGreaterThan(10_000)
    expect(worker.output).not.toMatch(/authorization failed/i)
    for (const secret of [kafka.passwords.alice, 'Pa55-w0rd of the warehouse']) {
      for (const shown of [worker.output, metrics, lines]) expect(shown).not.toContain(secret)
    }
  }, 240_000)

  it('without the right to create topics says which ones somebody has to create', async () => {
    const rig = await rigOf('bob')
    const prefix = `${rig.namespace}.`
    await grant('bob', ['Read', 'Write'], ['--topic', prefix])
    await grant('bob', ['Read'], ['--topic', rig.source], 'literal')
    await rig.produce({ seed: 7, start: Date.now() - 60_000, spanMs: 60_000, total: 100, partitions: 2 })
    const worker = rig.worker(
      { 'kafka-config': settings('bob') },
      { MILLRACE_KAFKA_SASL_PASSWORD: kafka.passwords.bob },
    )
    expect(await worker.exited).toMatchObject({ code: 1 })
    const refusal = worker.messages.find(message => message.includes('does not let this user create topics'))
    for (const name of ['by-quest-type-repartition', 'quest-minute-changelog', 'quest_minute-rows', 'progress']) {
      expect(refusal).toContain(`--topic ${rig.group}-${name} --partitions`)
    }
    expect(worker.output).not.toContain(kafka.passwords.bob)
  }, 120_000)

  it('with a wrong password ends, and says what to check', async () => {
    const rig = await rigOf('alice')
    const secret = 'Pa55-w0rd of nobody'
    const worker = rig.worker({ 'kafka-config': settings('alice') }, { MILLRACE_KAFKA_SASL_PASSWORD: secret })
    expect(await worker.exited).toMatchObject({ code: 1 })
    expect(worker.messages.at(-1)).toMatch(
      /^LOG_REFUSED: Connecting to Kafka .* mechanism is SCRAM-SHA-512: .*sasl\.password/,
    )
    expect(worker.output).not.toContain(secret)
  }, 120_000)

  it('shows a broker tokens of MSK, and nobody else', async () => {
    const rig = await rigOf('alice')
    const aws = {
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI-EXAMPLEKEY',
      AWS_SESSION_TOKEN: 'session-EXAMPLETOKEN',
    }
    const flags = { 'kafka-auth': 'aws-msk-iam', 'aws-region': 'eu-west-1' }
    const config = `ssl.ca.location=${kafka.authority}\ndebug=security`
    const worker = rig.worker({ ...flags, 'kafka-config': config }, aws)
    expect(await worker.exited).toMatchObject({ code: 1 })
    // This broker knows another kind of token. That it says so shows that it was given one.
    expect(worker.messages.at(-1)).toMatch(/^LOG_REFUSED: Connecting to Kafka .* mechanism is OAUTHBEARER/)
    expect(worker.output).toMatch(/MSK IAM in eu-west-1: a token for \d+ s/)
    for (const secret of [aws.AWS_SECRET_ACCESS_KEY, aws.AWS_SESSION_TOKEN]) expect(worker.output).not.toContain(secret)
    // A signed request as MSK's tokens are: a URL in Base64.
    expect(worker.output).not.toContain(Buffer.from('https://kafka').toString('base64url').slice(0, 16))
  }, 120_000)
})
