import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Case } from './case.js'
import { runDirectory } from './run.js'

const CASES = join(import.meta.dirname, 'cases')

function casesOf(file: string): Case[] {
  const lines = readFileSync(join(CASES, file), 'utf8').split('\n')
  return lines.filter(line => line !== '').map(line => JSON.parse(line))
}

/** Runs changed cases from a folder of their own. */
async function run(cases: readonly unknown[]) {
  const directory = mkdtempSync(join(tmpdir(), 'conformance-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'cases.jsonl'), cases.map(one => `${JSON.stringify(one)}\n`).join(''))
  const said: string[] = []
  return { verdict: await runDirectory(directory, line => said.push(line)), said }
}

describe('Kafka Streams’ semantics', () => {
  it('hold in every case of this folder', async () => {
    const said: string[] = []
    const { passed, failed, skipped } = await runDirectory(CASES, line => said.push(line))
    expect(said).toEqual([])
    expect(failed).toBe(0)
    const total = readdirSync(CASES).reduce((sum, file) => sum + casesOf(file).length, 0)
    expect([...skipped].sort()).toEqual([
      ['shows a defect of Kafka Streams, without a target', 1],
      ['sliding windows', 1],
      ['stream-stream-join', 1],
    ])
    expect(passed).toBe(total - 3)
  })
})

describe('the runner', () => {
  it('fails a case whose output, order, time or drops are not those expected', async () => {
    for (const given of [...casesOf('windows.jsonl'), ...casesOf('streams.jsonl')]) {
      const { output = [], droppedAt = [] } = given
      const wrong = [
        { ...given, output: output.slice(1) },
        { ...given, output: [...output, output.at(-1)] },
        { ...given, output: output.map((row, i) => (i === 0 ? { ...row, ts: row.ts + 1 } : row)) },
        { ...given, output: output.map((row, i) => (i === 0 ? { ...row, after: row.after + 1 } : row)) },
        { ...given, droppedAt: [...droppedAt, given.input.length - 1] },
        ...(output.length > 1 ? [{ ...given, output: [...output].reverse() }] : []),
      ]
      const { verdict, said } = await run(wrong)
      expect([given.id, verdict.passed, verdict.failed, said.length]).toEqual([given.id, 0, wrong.length, wrong.length])
    }
  })

  it('fails a wrong hash and a wrong partition', async () => {
    const [first] = readFileSync(join(CASES, 'partitions.jsonl'), 'utf8').split('\n')
    const given = JSON.parse(first as string)
    const { verdict, said } = await run([
      { ...given, murmur2: given.murmur2 + 1 },
      { ...given, partition: { 12: (given.partition['12'] + 1) % 12 } },
    ])
    expect(verdict.failed).toBe(2)
    expect(said[1]).toMatch(/of 12 partitions it goes to \d+ and should go to \d+/)
  })

  it('reports a topology that cannot be built as a failure of its case', async () => {
    const { verdict, said } = await run([{ id: 'odd', spec: { kind: 'stream', ops: [{ op: 'juggle' }] }, input: [] }])
    expect(verdict.failed).toBe(1)
    expect(said[0]).toMatch(/odd: .*unknown operation "juggle"/)
  })
})
