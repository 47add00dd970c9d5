import { describe, expect, inject, it } from 'vitest'
import { kafkaLog } from '../../src/log/kafka/kafka-log.js'
import { unique } from '../log/member.js'
import { millrace } from './command.js'

const FILE = new URL('../../topologies/quest-minute.ts', import.meta.url).pathname
/** The same with a source topic that a test names. */
const OF_A_TEST = new URL('../e2e/topologies/quest-minute.ts', import.meta.url).pathname
const kafka = inject('kafka') ?? ''

/** Names, partitions and states of the JSON format. */
function states(out: string): [string, number, string][] {
  const rows = JSON.parse(out) as { topic: string; partitions: number; state: string }[]
  return rows.map(row => [row.topic, row.partitions, row.state])
}

describe('without a broker', () => {
  const dryRun = (...args: readonly string[]) => millrace(['topics', FILE, '--dry-run', ...args])

  it('prints what is needed, as a table, commands and JSON', async () => {
    const partitions = ['--partitions', 'quest-events=12']
    const table = await dryRun(...partitions, '--namespace', 'staging')
    expect(table).toMatchObject({ code: 0, stderr: '' })
    expect(table.stdout).toMatch(/staging\.quest-minute-by-quest-type-repartition +│ repartition +│ 12 /)
    expect(table.stdout).toMatch(/staging\.quest-minute-progress +│ progress +│ 1 /)
    expect(table.stdout).toMatch(/staging\.millrace-warehouse-permits +│ warehouse permits +│ 2 /)
    const commands = (await dryRun(...partitions, '--format', 'commands')).stdout.trimEnd().split('\n')
    expect(commands).toHaveLength(6)
    expect(commands).toContain(
      'kafka-topics.sh --bootstrap-server BROKER:9092 --create --if-not-exists --topic quest-minute-quest-minute-changelog ' +
        '--partitions 12 --config cleanup.policy=compact --config max.message.bytes=8388608',
    )
    const json = await dryRun('--partitions', 'other=1,quest-events=4', ...partitions, '--format', 'json')
    expect(states(json.stdout)[0]).toEqual(['quest-events', 12, 'unknown'])
  })

  it('says which counts are wanted, and that nothing can be created', async () => {
    const unknown = await dryRun()
    expect(unknown).toMatchObject({ code: 1, stdout: '' })
    expect(unknown.stderr).toContain('Pass --partitions quest-events=8, or --kafka')
    expect(await dryRun('--partitions', 'quest-events=many')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('whole number'),
    })
    expect(await dryRun('--partitions', '8')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('TOPIC=COUNT'),
    })
    const { code, stderr } = await millrace(['topics', FILE])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('Pass --kafka, or print') })
  })
})

describe.skipIf(kafka === '')('on Kafka', { timeout: 60_000 }, () => {
  it('creates what a dry run prints', async () => {
    const namespace = unique('topics')
    const source = `${namespace}-events`
    const topics = (...args: readonly string[]) =>
      millrace(['topics', OF_A_TEST, '--namespace', namespace, '--kafka', kafka, ...args], { env: { SOURCE: source } })
    const log = await kafkaLog({ brokers: kafka })
    try {
      expect(await topics()).toMatchObject({ code: 1, stderr: expect.stringContaining(`reads "${source}"`) })
      const given = await topics('--dry-run', '--format', 'commands', '--partitions', `${source}=3`)
      const [comment, ...commands] = given.stdout.trimEnd().split('\n')
      expect(comment).toBe(`# The source topic ${source} does not exist.`)
      expect(commands[0]).toContain(` --bootstrap-server ${kafka} --create `)
      expect(commands).toHaveLength(6)

      await log.createTopics([{ name: source, partitions: 2, config: {} }])
      const needed = states((await topics('--dry-run', '--format', 'json')).stdout)
      const names = needed.slice(1).map(([name]) => name)
      expect(needed.map(([, , state]) => state)).toEqual(['exists', ...names.map(() => 'missing')])
      expect((await log.describeTopics(names)).size).toBe(0)

      const made = states((await topics('--format', 'json')).stdout)
      expect(made).toEqual(needed.map(([name, count, state]) => [name, count, state === 'missing' ? 'created' : state]))
      const found = await log.describeTopics(names)
      expect(names.map(name => found.get(name)?.partitions)).toEqual(needed.slice(1).map(([, count]) => count))
      expect((await topics('--dry-run', '--format', 'commands')).stdout.trim()).toBe('')
    } finally {
      await log.close()
    }
  })

  it('creates nothing for a topology whose topics have other numbers of partitions', async () => {
    const namespace = unique('topics')
    const source = `${namespace}-events`
    const repartition = `${namespace}.quest-minute-by-quest-type-repartition`
    const log = await kafkaLog({ brokers: kafka })
    try {
      await log.createTopics([
        { name: source, partitions: 4, config: {} },
        { name: repartition, partitions: 2, config: {} },
      ])
      const args = ['topics', OF_A_TEST, '--namespace', namespace, '--kafka', kafka]
      const { code, stdout, stderr } = await millrace(args, { env: { SOURCE: source } })
      expect(code).toBe(1)
      expect(stdout).toMatch(/by-quest-type-repartition +│ repartition +│ 4 .*│ differs: has 2 /)
      expect(stderr).toContain(`"${repartition}" has 2 partitions and needs 4.`)
      expect((await log.describeTopics([`${namespace}.quest-minute-progress`])).size).toBe(0)
    } finally {
      await log.close()
    }
  })
})
