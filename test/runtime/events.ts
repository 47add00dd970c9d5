import { avro, fromTopic, type Topology } from 'millrace'
import { type TestDriverOptions, type TestInput, TopologyTestDriver } from 'millrace/testing'
import { onTestFinished } from 'vitest'

/** What the topologies of the runtime's tests read. */
export interface Event {
  /** What records are repartitioned by; null where a key is missing. */
  readonly k: string | null
  readonly id: number
  readonly n: number
  readonly at: number
}

export const event = avro<Event>({
  type: 'record',
  name: 'Event',
  namespace: 'test',
  fields: [
    { name: 'k', type: ['null', 'string'], default: null },
    { name: 'id', type: 'long' },
    { name: 'n', type: 'long' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
})

/** Events by event time; the record's key is text. */
export const events = fromTopic('events', { value: event, timestamp: 'at' })

/** Where the clock of a driver starts: all event times are near it. A whole hour. */
export const T0 = 1_700_002_800_000

const SECOND = 1_000

let lastId = 0

/** A record of `events`, `seconds` after T0. */
export function at(seconds: number, fields: Partial<Event> = {}, record: Partial<TestInput> = {}): TestInput {
  const value = { k: 'a', id: ++lastId, n: 1, at: T0 + seconds * SECOND, ...fields }
  return { key: value.k, value, ...record }
}

/** A window column, as seconds after T0. */
export function seconds(time: unknown): number {
  return ((time as Date).getTime() - T0) / SECOND
}

/** A driver that is closed with the test. */
export async function drive(topology: Topology, options: TestDriverOptions = {}): Promise<TopologyTestDriver> {
  const driver = await TopologyTestDriver.start(topology, { startTime: T0, ...options })
  onTestFinished(() => driver.close())
  return driver
}

/** Rows of an output topic as one line each, sorted: key columns, window start in seconds after T0, value. */
export async function lines(driver: TopologyTestDriver, topic: string): Promise<string[]> {
  return (await driver.readOutput(topic)).map(({ key, value }) => `${show(key)} ${show(value)}`).sort()
}

function show(part: unknown): string {
  if (part === null) return 'null'
  if (typeof part !== 'object') return String(part)
  return Object.entries(part)
    .filter(([name]) => name !== 'windowEnd')
    .map(([, value]) => (value instanceof Date ? `@${seconds(value)}` : JSON.stringify(value)))
    .join(' ')
}
