import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { murmur2, partitionFor } from '../../src/model/murmur2.js'
import type { Case, PartitionCase } from './case.js'
import { unsupported } from './case-topology.js'
import { runCase } from './run-case.js'

/** What became of the cases of a directory. */
export interface Verdict {
  passed: number
  failed: number
  /** Skipped cases by reason. */
  readonly skipped: Map<string, number>
}

/** Runs every case of the `.jsonl` files in a directory. `say` gets a line for each failure. */
export async function runDirectory(directory: string, say: (line: string) => void): Promise<Verdict> {
  const verdict: Verdict = { passed: 0, failed: 0, skipped: new Map() }
  const files = readdirSync(directory).filter(name => name.endsWith('.jsonl'))
  for (const file of files.sort()) {
    const lines = readFileSync(join(directory, file), 'utf8').split('\n')
    for (const line of lines) {
      if (line.trim() === '') continue
      const given = JSON.parse(line) as Partial<Case & PartitionCase> & { readonly id: string }
      const reason = skipReason(given)
      if (reason !== undefined) {
        verdict.skipped.set(reason, (verdict.skipped.get(reason) ?? 0) + 1)
        continue
      }
      const difference = await differenceOf(given)
      if (difference === undefined) verdict.passed++
      else {
        verdict.failed++
        say(`${file} ${given.id}: ${difference}`)
      }
    }
  }
  return verdict
}

function skipReason(given: Partial<Case & PartitionCase>): string | undefined {
  if (given.murmur2 !== undefined) return undefined
  if (given.spec === undefined) return "bytes of Kafka Streams' own topics"
  const later = unsupported(given.spec)
  if (later !== undefined) return later
  return given.ksDefect && !given.outputIdeal ? 'shows a defect of Kafka Streams, without a target' : undefined
}

async function differenceOf(given: Partial<Case & PartitionCase>): Promise<string | undefined> {
  try {
    return given.murmur2 === undefined ? await runCase(given as Case) : comparePartitions(given as PartitionCase)
  } catch (thrown) {
    return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  }
}

function comparePartitions({ keyHex, murmur2: hash, partition }: PartitionCase): string | undefined {
  const key = Buffer.from(keyHex, 'hex')
  if (murmur2(key) !== hash) return `murmur2 is ${murmur2(key)} and should be ${hash}`
  for (const [count, wanted] of Object.entries(partition)) {
    const is = partitionFor(key, Number(count))
    if (is !== wanted) return `of ${count} partitions it goes to ${is} and should go to ${wanted}`
  }
  return undefined
}
