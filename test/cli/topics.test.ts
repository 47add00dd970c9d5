import { fromTopic, to, topic, topology } from 'millrace'
import { describe, expect, inject, it } from 'vitest'
import { questEvent } from '../../schemas/quest-event.js'
import { type TopicsOptions, topicsCommand } from '../../src/cli/topics.js'
import { kafkaLog } from '../../src/log/kafka/kafka-log.js'
import type { Topology } from '../../src/topology/node.js'
import questMinute from '../../topologies/quest-minute.js'
import { unique } from '../log/member.js'

const DEFAULTS: TopicsOptions = { dryRun: true, format: 'table', partitions: {} }
const kafka = inject('kafka') ?? ''

/** Runs the command on a real broker where the options name one. */
async function topics(topologies: readonly Topology[], options: Partial<TopicsOptions>) {
  const out: string[] = []
  const err: string[] = []
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) }
  const open = (brokers: string) => kafkaLog({ brokers })
  const code = await topicsCommand(topologies, { ...DEFAULTS, ...options }, { io, open })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** Names, partitions and states of the JSON format. */
function states(out: string): [string, number, string][] {
  const rows = JSON.parse(out) as { topic: string; partitions: number; state: string }[]
  return rows.map(row => [row.topic, row.partitions, row.state])
}

describe('without a broker', () => {
  it('prints what is needed, as a table, commands and JSON', async () => {
    const partitions = { 'quest-events': 12 }
    const { out } = await topics([questMinute], { partitions, namespace: 'staging' })
    expect(out).toMatch(/staging\.quest-minute-by-quest-type-repartition +│ repartition +│ 12 /)
    expect(out).toMatch(/staging\.quest-minute-progress +│ progress +│ 1 /)
    const commands = (await topics([questMinute], { partitions, format: 'commands' })).out.split('\n')
    expect(commands).toHaveLength(5)
    expect(commands).toContain(
      'kafka-topics.sh --bootstrap-server BROKER:9092 --create --if-not-exists --topic quest-minute-quest-minute-changelog ' +
        '--partitions 12 --config cleanup.policy=compact --config max.message.bytes=8388608',
    )
    const json = await topics([questMinute], { partitions, format: 'json' })
    expect(states(json.out)[0]).toEqual(['quest-events', 12, 'unknown'])
  })

  it('says which counts are wanted, and that nothing can be created', async () => {
    await expect(topics([questMinute], {})).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('Pass --partitions quest-events=8, or --kafka'),
    })
    await expect(topics([questMinute], { dryRun: false })).rejects.toThrow('Pass --kafka, or print')
  })
})

describe.skipIf(kafka === '')('on Kafka', () => {
  it('creates what a dry run prints, and names what differs', async () => {
    const namespace = unique('topics')
    const source = `${namespace}-events`
    const events = fromTopic(source, { value: questEvent })
    const copies = topology('copies', events.pipe(to(topic(`${namespace}-copies`))))
    const names = [`${namespace}.copies-dead-letters`, `${namespace}.copies-progress`, `${namespace}-copies`]
    const log = await kafkaLog({ brokers: kafka })
    try {
      await expect(topics([copies], { kafka, namespace })).rejects.toMatchObject({ code: 'MISSING_TOPIC' })
      const given = await topics([copies], { kafka, namespace, format: 'commands', partitions: { [source]: 3 } })
      expect(given.out.split('\n')[0]).toBe(`# The source topic ${source} does not exist.`)

      await log.createTopics([{ name: source, partitions: 2, config: {} }])
      const dry = await topics([copies], { kafka, namespace, format: 'json' })
      expect(dry.code).toBe(0)
      expect(new Map(states(dry.out).map(([name, , state]) => [name, state]))).toEqual(
        new Map([[source, 'exists'], ...names.map(name => [name, 'missing'] as const)]),
      )
      expect((await log.describeTopics(names)).size).toBe(0)

      const made = await topics([copies], { kafka, namespace, format: 'json', dryRun: false })
      expect(states(made.out).slice(1)).toEqual([
        [`${namespace}.copies-dead-letters`, 2, 'created'],
        [`${namespace}.copies-progress`, 1, 'created'],
        [`${namespace}-copies`, 2, 'created'],
      ])
      expect([...(await log.describeTopics(names)).keys()].sort()).toEqual([...names].sort())
      expect((await topics([copies], { kafka, namespace, format: 'commands' })).out).toBe('')
    } finally {
      await log.close()
    }
  })

  it('creates nothing for a topology whose topics have other numbers of partitions', async () => {
    const namespace = unique('topics')
    const log = await kafkaLog({ brokers: kafka })
    try {
      const source = `${namespace}-events`
      const progress = `${namespace}.copies-progress`
      await log.createTopics([source, progress].map(name => ({ name, partitions: 2, config: {} })))
      const copies = topology('copies', fromTopic(source, { value: questEvent }).pipe(to(topic(`${namespace}-out`))))
      const { code, out, err } = await topics([copies], { kafka, namespace, dryRun: false })
      expect(code).toBe(1)
      expect(out).toMatch(/copies-progress +│ progress +│ 1 .*│ differs: has 2 /)
      expect(err).toContain(`"${progress}" has 2 partitions and needs 1.`)
      expect((await log.describeTopics([`${namespace}-out`])).size).toBe(0)
    } finally {
      await log.close()
    }
  })
})
