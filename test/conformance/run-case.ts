import { isDeepStrictEqual } from 'node:util'
import { type TestOutput, TopologyTestDriver } from 'millrace/testing'
import type { Case, OutputRecord, Spec } from './case.js'
import { DELETING, RESULT, topologyOf } from './case-topology.js'

/**
 * Runs a case on the test driver, committing after each record, and answers the first difference from what the case
 * expects; undefined where there is none. A case with a known defect of Kafka Streams may agree with either answer.
 */
export async function runCase(given: Case): Promise<string | undefined> {
  const { output, droppedAt } = await answers(given)
  const difference = compare(output, droppedAt, given.output ?? [], given.droppedAt ?? [])
  if (difference === undefined || given.outputIdeal === undefined) return difference
  const { outputIdeal, droppedAtIdeal = given.droppedAt ?? [] } = given
  return compare(output, droppedAt, outputIdeal, droppedAtIdeal)
}

async function answers({ spec, input }: Case): Promise<{ output: OutputRecord[]; droppedAt: number[] }> {
  const { topology, nulls } = topologyOf(spec)
  const driver = await TopologyTestDriver.start(topology)
  try {
    const output: OutputRecord[] = []
    const droppedAt: number[] = []
    let dropped = 0
    for (const [index, record] of input.entries()) {
      await driver.pipe(record.topic, { key: record.key, value: record.value, timestamp: record.ts })
      for (const one of await driver.readOutput(RESULT)) output.push(outputRecord(one, index))
      const { skipped, refusedWindows } = await driver.accounting()
      for (; dropped < keyless(spec, skipped) + refusedWindows + nulls(); dropped++) droppedAt.push(index)
    }
    return { output, droppedAt }
  } finally {
    await driver.close()
  }
}

/** A repartition of Kafka Streams filters records without a key and does not count them; Millrace counts all it skips. */
function keyless({ ops = [] }: Spec, skipped: number): number {
  return ops.some(step => step.op === 'repartition') ? 0 : skipped
}

function outputRecord({ key, value, timestamp }: TestOutput, after: number): OutputRecord {
  const shown = value && Object.fromEntries(Object.entries(value).filter(([name]) => name !== DELETING))
  if (key === null || typeof key === 'string') return { after, key, value: shown, ts: timestamp }
  const [windowStart, windowEnd] = [key.windowStart, key.windowEnd].map(time => (time as Date).getTime())
  return { after, key: String(key.key), value: shown, ts: timestamp, windowStart, windowEnd } as OutputRecord
}

function compare(
  output: readonly OutputRecord[],
  droppedAt: readonly number[],
  expected: readonly OutputRecord[],
  expectedDrops: readonly number[],
): string | undefined {
  for (let i = 0; i < Math.max(output.length, expected.length); i++) {
    const [is, wanted] = [output[i], expected[i]]
    if (!isDeepStrictEqual(is && { ...is }, wanted && { ...wanted })) {
      return `output ${i} is ${JSON.stringify(is)} and should be ${JSON.stringify(wanted)}`
    }
  }
  if (isDeepStrictEqual(droppedAt, [...expectedDrops])) return undefined
  return `records were dropped at ${JSON.stringify(droppedAt)} and should be at ${JSON.stringify(expectedDrops)}`
}
