import type { LogConsumer, LogProducer } from '../ports/log.js'
import { compileTopology, type TopologyProgram } from './compile-topology.js'
import { prepareTopics } from './prepare-topics.js'
import { ProcessMetrics } from './process-metrics.js'
import { type CatalogueEntry, checkMeaning, readProgress } from './progress.js'
import { untilRegistryAnswers } from './registry-outage.js'
import { requireWarehouse, type StreamProcessOptions } from './stream-process-options.js'

/** What a stream process works with from its start to its end. */
export interface ProcessParts {
  readonly consumer: LogConsumer
  readonly producer: LogProducer
  readonly program: TopologyProgram
  /** Schemas of internal values that the progress topic holds, by fingerprint. */
  readonly catalogue: Map<string, CatalogueEntry>
  readonly metrics: ProcessMetrics
}

/**
 * Prepares the topics, compiles the topology and makes the clients.
 * @throws MillraceError MISSING_TOPIC, TOPIC_MISMATCH, STATE_INCOMPATIBLE, INVALID_OPTION
 */
export async function openParts(options: StreamProcessOptions): Promise<ProcessParts> {
  const { topology, log, serde, clock, instanceId } = options
  const { plan, topics } = await prepareTopics(log, topology, options.namespace)
  requireWarehouse(options)
  const { catalogue } = await readProgress(log, plan.progress)
  const transactionalId = `${plan.group}-${instanceId}`
  const metrics = new ProcessMetrics(options)
  const transactional = options.guarantee === 'at_least_once' ? {} : { transactionalId }
  const producer = metrics.counting(await log.producer(transactional))
  const program = await untilRegistryAnswers(options, () =>
    compileTopology(topology, plan, {
      serde,
      producer,
      now: () => clock.now(),
      topics,
      schemaOf: fingerprint => catalogue.get(fingerprint),
    }),
  )
  for (const entry of program.catalogue.values()) checkMeaning(entry, catalogue.values())
  const consumer = await log.consumer({ group: plan.group, instanceId })
  return { consumer, producer, program, catalogue, metrics }
}
