import { messageOf } from '../model/errors.js'
import { type Description, describe } from '../topology/describe.js'
import { describeMermaid } from '../topology/describe-mermaid.js'
import { describeText } from '../topology/describe-text.js'
import { assertValid } from '../topology/validate.js'
import type { Io } from './io.js'
import { loadTopologies } from './load-topology.js'

export type DescribeFormat = 'text' | 'mermaid' | 'json'

export interface DescribeCommandOptions {
  readonly format: DescribeFormat
  /** Prefix of the consumer group and of internal topics. */
  readonly namespace?: string
}

function formatted(descriptions: readonly Description[], format: DescribeFormat): string {
  switch (format) {
    case 'text':
      return descriptions.map(describeText).join('\n')
    case 'mermaid':
      return descriptions.map(describeMermaid).join('\n')
    case 'json':
      return JSON.stringify(descriptions.length === 1 ? descriptions[0] : descriptions, null, 2)
    default:
      return format satisfies never
  }
}

/**
 * `millrace describe FILE…`: prints the graph, its stores, internal topics, tables and tasks. Needs no broker.
 * @returns the exit code: 0, or 1 when a file cannot be loaded or its topology is not sound.
 */
export async function describeCommand(
  files: readonly string[],
  options: DescribeCommandOptions,
  io: Io,
): Promise<number> {
  try {
    const descriptions: Description[] = []
    for (const file of files) {
      for (const topology of await loadTopologies(file)) {
        assertValid(topology)
        descriptions.push(describe(topology, options.namespace === undefined ? {} : { namespace: options.namespace }))
      }
    }
    io.out(formatted(descriptions, options.format).trimEnd())
    return 0
  } catch (thrown) {
    io.err(messageOf(thrown))
    return 1
  }
}
