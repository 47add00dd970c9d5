import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RawEvent, rawEvents } from '../../src/cli/proof-events.js'
import { readPlan } from '../../src/cli/start-plan.js'
import { type ProductionOptions, type ProductionPorts, produceDemo } from '../../src/cli/start-production.js'
import { recordsInTopic } from '../../src/cli/target-topic.js'
import { embeddedLog } from '../../src/log/embedded/embedded-log.js'
import type { Log } from '../../src/ports/log.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'
import { questEventSchema, TOPIC } from './quest-log.js'

let directory: string
let log: Log

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-production-'))
  const clock = { now: () => Date.now(), sleep: async () => undefined }
  log = await embeddedLog({ clock, store: await memoryEngine().open('log') })
})

afterEach(async () => {
  await log.close()
  rmSync(directory, { recursive: true })
})

async function produce(options: ProductionOptions, more: Partial<ProductionPorts> = {}): Promise<void> {
  await produceDemo(options, {
    log,
    registry: fileRegistry({ schemas: [] }),
    planFile: join(directory, 'start.json'),
    lag: async () => 0,
    signal: new AbortController().signal,
    ...more,
  })
}

async function events(from = log): Promise<RawEvent[]> {
  const found: RawEvent[] = []
  await rawEvents(from, TOPIC, questEventSchema, { event: event => found.push(event), reached: () => undefined })
  return found.sort((a, b) => a.occurredAt - b.occurredAt || (a.userId < b.userId ? -1 : 1))
}

describe('produceDemo', () => {
  it('makes the number that is asked for, over the six hours before', async () => {
    const before = Date.now()
    await produce({ events: 25_000 })
    const made = await events()
    expect(made).toHaveLength(25_000)
    expect(made.at(-1)?.occurredAt).toBeLessThanOrEqual(Date.now() + 5_000)
    expect(made[0]?.occurredAt).toBeGreaterThanOrEqual(before - 6 * 3_600_000 - 5_000)
    expect((made.at(-1)?.occurredAt as number) - (made[0]?.occurredAt as number)).toBeGreaterThan(5.9 * 3_600_000)
  })

  it('stopped and started again it makes the same events', async () => {
    const stop = new AbortController()
    const lag = async () => {
      stop.abort()
      return 0
    }
    await produce({ events: 25_000, seed: 9 }, { signal: stop.signal, lag })
    expect(await recordsInTopic(log, TOPIC)).toBe(10_000)
    const plan = readPlan(join(directory, 'start.json'))
    await produce({ events: 25_000 })
    expect(readPlan(join(directory, 'start.json'))).toEqual(plan)
    const pieces = await events()
    const clock = { now: () => Date.now(), sleep: async () => undefined }
    const other = await embeddedLog({ clock, store: await memoryEngine().open('log') })
    await produce({ events: 25_000 }, { log: other })
    expect(pieces).toEqual(await events(other))
    await other.close()
  })

  it('adds more events behind the first ones, and none where there are enough', async () => {
    await produce({ events: 1_000 })
    const end = readPlan(join(directory, 'start.json'))?.segments[0]
    await produce({ events: 500 })
    expect(await recordsInTopic(log, TOPIC)).toBe(1_000)
    await produce({ events: 1_500 })
    const made = await events()
    expect(made).toHaveLength(1_500)
    const behind = (end?.start as number) + (end?.spanMs as number) - 5_000
    expect(made.filter(({ occurredAt }) => occurredAt >= behind).length).toBeGreaterThanOrEqual(500)
  })

  it('--for ends it, whatever is planned', async () => {
    const started = performance.now()
    await produce({ for: 300, rate: 1_000 })
    expect(performance.now() - started).toBeLessThan(5_000)
    const count = await recordsInTopic(log, TOPIC)
    expect(count).toBeGreaterThan(0)
    expect(count).toBeLessThanOrEqual(300)
  })

  it('waits while too many events wait to be processed', async () => {
    const lags = [50_000, 40_000, 30_000]
    const asked: number[] = []
    const lag = async (): Promise<number> => {
      asked.push(await recordsInTopic(log, TOPIC))
      return lags.shift() ?? 0
    }
    await produce({ events: 20_000 }, { lag })
    expect(asked).toEqual([10_000, 10_000, 10_000, 20_000])
  })
})
