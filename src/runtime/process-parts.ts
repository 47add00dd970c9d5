import type { LogConsumer, LogProducer } from '../ports/log.js'
import type { Warehouse } from '../ports/warehouse.js'
import { compileTopology, type TopologyProgram } from './compile-topology.js'
import { prepareTopics } from './prepare-topics.js'
import { ProcessMetrics } from './process-metrics.js'
import { type CatalogueEntry, checkMeaning, readProgress } from './progress.js'
import { untilRegistryAnswers } from './registry-outage.js'
import { type StreamProcessOptions, warehouseOf } from './stream-process-options.js'
import { WarehousePermits } from './warehouse-permits.js'

/** What a stream process works with from its start to its end. */
export interface ProcessParts {
  readonly consumer: LogConsumer
  readonly producer: LogProducer
  readonly program: TopologyProgram
  /** Schemas of internal values that the progress topic holds, by fingerprint. */
  readonly catalogue: Map<string, CatalogueEntry>
  readonly metrics: ProcessMetrics
  /** Absent where nothing goes to a warehouse. */
  readonly permits: WarehousePermits | undefined
}

/**
 * Prepares the topics, compiles the topology and makes the clients.
 * @throws MillraceError MISSING_TOPIC, TOPIC_MISMATCH, STATE_INCOMPATIBLE, INVALID_OPTION
 */
export async function openParts(options: StreamProcessOptions): Promise<ProcessParts> {
  const { topology, log, serde, clock, instanceId } = options
  const { plan, topics } = await prepareTopics(log, topology, options.namespace)
  const warehouse = warehouseOf(options)
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
  const own = (warehouse: Warehouse) => WarehousePermits.open({ ...options, warehouse, topologies: [topology.name] })
  const permits = warehouse && (await (options.permits?.() ?? own(warehouse)))
  return { consumer, producer, program, catalogue, metrics, permits }
}
