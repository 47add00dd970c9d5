import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { produceEvents } from '../../src/cli/produce.js'
import type { QuestEventOptions } from '../../src/cli/quest-events.js'
import { systemClock } from '../../src/cli/system-clock.js'
import type { SchemaRegistry } from '../../src/ports/schema-registry.js'
import { confluentRegistry } from '../../src/serde/confluent-registry.js'
import { plain } from '../log/member.js'
import { TcpProxy } from '../services/tcp-proxy.js'
import { BROKEN_WRITER, NEXT_WRITER, writeAs } from './evolved-writer.js'
import { outputRecords } from './output-topic.js'
import {
  allEqual,
  cellId,
  compareCells,
  expectedCells,
  generated,
  type QuestCell,
  type QuestCells,
} from './quest-cells.js'
import { Rig } from './rig.js'
import { until } from './until.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
const url = inject('registry') ?? ''
const HOUR = 3_600_000

/** A rig whose worker reaches the registry through a proxy, while the test itself always does. */
async function create() {
  const { port, pathname } = new URL(url)
  const proxy = await TcpProxy.to(Number(port))
  onTestFinished(() => proxy.close())
  const registry = `http://127.0.0.1:${proxy.port}${pathname}`
  const flags = { registry, schemas: 'no-such-folder', 'commit-interval': '100ms' }
  // Nothing but the test decides when a partition has nothing to say.
  const rig = await Rig.create({ kafka, postgres, flags, env: { IDLE_AFTER: '10 minutes' } })
  const direct = confluentRegistry({ urls: [url] })
  const produce = (data: QuestEventOptions, from: number, to: number) =>
    produceEvents({ ...data, from, to, topic: rig.source }, { log: rig.log, registry: direct, clock: systemClock })
  return { rig, proxy, direct, produce }
}

const dataOf = (seed: number) => ({ seed, start: Date.now() - 3 * HOUR, spanMs: 3 * HOUR, total: 20_000 })

describe.skipIf(kafka === '' || postgres === '' || url === '')('with a schema registry, a worker', () => {
  it('that starts while it is down says so, waits, and is right once it is there', async () => {
    const { rig, proxy, produce } = await create()
    const data = dataOf(71)
    await produce(data, 0, data.total)
    proxy.become('refuse')
    const worker = rig.worker()
    await worker.logged(/The schema registry http:\S+ does not answer/)
    await until(
      'a second try',
      60_000,
      async () => proxy.faults >= 2,
      () => worker.output,
    )
    const before = await rig.database.events()
    const { faults } = proxy
    proxy.become('pass')
    await rig.filled(data.total, 90_000, () => worker.output)
    expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
    const comparison = compareCells(expectedCells(generated(data)), await rig.database.cells())
    console.info('registry down at start:', { faults, before, ...comparison })
    expect(before).toBe(0)
    expect(comparison).toMatchObject(allEqual)
    expect(comparison.cells).toBeGreaterThan(1_000)
    const { read, aggregated, deadLettered } = await rig.accounting()
    expect({ read, aggregated, deadLettered }).toEqual({ read: data.total, aggregated: data.total, deadLettered: 0 })
  }, 240_000)

  it('that starts while it is down registers the schemas of its outputs once it is there', async () => {
    const { rig, proxy, direct, produce } = await create()
    const data = dataOf(75)
    await produce(data, 0, data.total)
    proxy.become('refuse')
    const output = `${rig.namespace}-output`
    const worker = rig.worker({}, { OUTPUT: output })
    await worker.logged(/The schema registry http:\S+ does not answer/)
    const { faults } = proxy
    proxy.become('pass')
    const expected = expectedCells(generated(data))
    const sum = (cells: QuestCells) => [...cells.values()].reduce((events, cell) => events + cell.events, 0)
    const found = await until(
      'all events in the output topic',
      90_000,
      async () => {
        const { read } = await rig.accounting()
        const cells = read === data.total ? await outputCells(rig, output, direct) : new Map()
        return sum(cells) === data.total && cells
      },
      () => worker.output,
    )
    expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
    const comparison = compareCells(expected, found)
    console.info('registry down at start, output to a topic:', { faults, ...comparison })
    expect(faults).toBeGreaterThan(0)
    expect(comparison).toMatchObject(allEqual)
    expect(comparison.cells).toBeGreaterThan(1_000)
  }, 240_000)

  it.each(['refuse', 'hang'] as const)(
    'that meets a new schema id while it is down (%s) waits with those records, and loses none',
    async fault => {
      const { rig, proxy, direct, produce } = await create()
      const data = dataOf(fault === 'refuse' ? 72 : 73)
      const half = data.total / 2
      await produce(data, 0, half)
      const worker = rig.worker()
      await rig.filled(half, 90_000, () => worker.output)
      proxy.become(fault)
      // What is known goes on without the registry.
      await produce(data, half, half + 2_000)
      await rig.filled(half + 2_000, 90_000, () => worker.output)
      const unneeded = proxy.faults
      await writeAs(NEXT_WRITER, generated(data, half + 2_000), rig, direct)
      await worker.logged(/The schema registry http:\S+ does not answer/)
      await until(
        'a second try',
        60_000,
        async () => proxy.faults >= 2,
        () => worker.output,
      )
      const whileDown = await rig.accounting()
      const { faults } = proxy
      proxy.become('pass')
      await rig.filled(data.total, 90_000, () => worker.output)
      expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
      const comparison = compareCells(expectedCells(generated(data)), await rig.database.cells())
      console.info(`registry down in the middle, ${fault}:`, { unneeded, faults, read: whileDown.read, ...comparison })
      expect(unneeded).toBe(0)
      expect(whileDown).toMatchObject({ read: half + 2_000, deadLettered: 0 })
      expect(comparison).toMatchObject(allEqual)
      expect(comparison.cells).toBeGreaterThan(1_000)
      const { read, aggregated, deadLettered } = await rig.accounting()
      expect({ read, aggregated, deadLettered }).toEqual({ read: data.total, aggregated: data.total, deadLettered: 0 })
    },
    240_000,
  )

  it('reads evolved writers beside the first one, and sets aside what cannot be read, naming both', async () => {
    const { rig, direct, produce } = await create()
    const data = dataOf(74)
    const third = Math.floor(data.total / 3)
    await produce(data, 0, third)
    const worker = rig.worker()
    await rig.filled(third, 90_000, () => worker.output)
    const next = await writeAs(NEXT_WRITER, generated(data, third, 2 * third), rig, direct)
    const broken = await writeAs(BROKEN_WRITER, generated(data, 2 * third, 2 * third + 500), rig, direct)
    // A producer that was not rolled out again yet.
    await produce(data, 2 * third, data.total)
    await rig.filled(data.total, 90_000, () => worker.output)
    expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
    const comparison = compareCells(expectedCells(generated(data)), await rig.database.cells())
    const { read, aggregated, deadLettered } = await rig.accounting()
    console.info('writer evolved in the middle:', { next, broken, read, deadLettered, ...comparison })
    expect(next.id).not.toBe(broken.id)
    expect(comparison).toMatchObject(allEqual)
    expect(comparison.cells).toBeGreaterThan(1_000)
    expect({ read, aggregated, deadLettered }).toEqual({
      read: data.total + broken.written,
      aggregated: data.total,
      deadLettered: broken.written,
    })
    const reasons = await deadLetters(rig)
    expect(reasons).toHaveLength(broken.written)
    const both = new RegExp(
      `written as "\\S+QuestEvent" \\(schema id ${broken.id}\\) cannot be read as "\\S*QuestEvent": field "rewardGold": string is written and int is read`,
    )
    for (const reason of new Set(reasons)) expect(reason).toMatch(both)
  }, 240_000)
})

/** The last row of each cell in an output topic. */
async function outputCells({ log }: Rig, topic: string, registry: SchemaRegistry): Promise<QuestCells> {
  const cells = new Map<string, QuestCell>()
  for (const { key, value } of await outputRecords(log, topic, registry)) {
    const { questType, windowStart } = key as { readonly questType: string; readonly windowStart: number }
    cells.set(cellId(questType, windowStart), value as QuestCell)
  }
  return cells
}

/** The reasons of all dead letters. */
async function deadLetters({ log, group }: Rig): Promise<string[]> {
  const topic = `${group}-dead-letters`
  const reasons: string[] = []
  const partitions = (await log.describeTopics([topic])).get(topic)?.partitions ?? 0
  for (let partition = 0; partition < partitions; partition++) {
    const { low, high } = await log.watermarks({ topic, partition })
    for await (const batch of log.read({ topic, partition }, low, high)) {
      for (const { headers } of plain(batch)) {
        reasons.push(headers.find(([name]) => name === '__streams.errors.message')?.[1] ?? '')
      }
    }
  }
  return reasons
}
