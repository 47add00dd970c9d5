import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import { MillraceError, messageOf } from '../model/errors.js'
import type { Warehouse } from '../ports/warehouse.js'
import { StreamProcess } from '../runtime/stream-process.js'
import type { Guarantee } from '../runtime/stream-process-options.js'
import { avroSerde } from '../serde/avro-serde.js'
import type { Topology } from '../topology/node.js'
import { assertValid } from '../topology/validate.js'
import { openLog, openWarehouse, schemaRegistry, storeEngine } from './adapters.js'
import { loadTopologies, shownPath } from './load-topology.js'
import { OpenResources } from './open-resources.js'
import type { LogFlags } from './options.js'
import type { StopSignal } from './stop-signal.js'
import { systemClock } from './system-clock.js'

export interface RunOptions extends LogFlags {
  readonly warehouse?: string
  readonly guarantee: Guarantee
  /** Ms. */
  readonly commitInterval: number
  readonly instanceId: string
  readonly namespace?: string
  /** How often the figures of each topology are logged, in ms. */
  readonly statusInterval: number
}

/**
 * The topologies of all files, none twice and each sound.
 * @throws MillraceError INVALID_TOPOLOGY or LOAD with all problems of all files.
 */
export async function soundTopologies(files: readonly string[]): Promise<readonly Topology[]> {
  const topologies: Topology[] = []
  const problems: MillraceError[] = []
  const fileOf = new Map<string, string>()
  for (const file of new Set(files.map(one => resolve(one)))) {
    try {
      for (const topology of await loadTopologies(file)) {
        const other = fileOf.get(topology.name)
        if (other !== undefined) {
          const message = `${shownPath(other)} and ${shownPath(file)} both have a topology "${topology.name}". They would be one consumer group and share its topics; rename one.`
          problems.push(new MillraceError('INVALID_TOPOLOGY', message))
        }
        fileOf.set(topology.name, file)
        topologies.push(topology)
        try {
          assertValid(topology)
        } catch (thrown) {
          problems.push(asProblem(`${shownPath(file)}: `, thrown))
        }
      }
    } catch (thrown) {
      problems.push(asProblem('', thrown))
    }
  }
  const [first] = problems
  if (first === undefined) return topologies
  throw new MillraceError(first.code, problems.map(problem => problem.message).join('\n'))
}

function asProblem(before: string, thrown: unknown): MillraceError {
  const code = thrown instanceof MillraceError ? thrown.code : 'LOAD'
  return new MillraceError(code, `${before}${messageOf(thrown)}`, { cause: thrown })
}

function warehouseFor(topologies: readonly Topology[], options: RunOptions): Warehouse | undefined {
  if (options.warehouse !== undefined) return openWarehouse(options.warehouse)
  const writers = topologies.filter(({ outputs }) => outputs.some(node => node.kind === 'to-warehouse'))
  if (writers.length === 0) return undefined
  if (options.kafka === undefined) return openWarehouse(`pglite:${join(options.state, 'warehouse')}`)
  throw new MillraceError(
    'INVALID_OPTION',
    `${writers.map(({ name }) => `"${name}"`).join(', ')} writes to a warehouse, and none is given. Pass --warehouse postgres://user@host:port/database, and the password by MILLRACE_WAREHOUSE_PASSWORD.`,
  )
}

/**
 * `millrace run FILE…`: runs sound topologies in this process until a signal stops it, then commits, flushes and closes.
 * @throws MillraceError when something keeps it from starting or going on; everything is closed by then.
 */
export async function runCommand(
  topologies: readonly Topology[],
  options: RunOptions,
  { logger, stop }: { readonly logger: Logger; readonly stop: StopSignal },
): Promise<void> {
  const opened = new OpenResources()
  const processes: StreamProcess[] = []
  try {
    const warehouse = warehouseFor(topologies, options)
    if (warehouse) opened.add(() => warehouse.close())
    const log = await openLog(options, logger)
    opened.add(() => log.close())
    const shared = {
      log,
      serde: avroSerde(schemaRegistry(options)),
      stores: storeEngine(options.storeEngine),
      stateDirectory: join(options.state, 'stores'),
      clock: systemClock,
      guarantee: options.guarantee,
      commitInterval: options.commitInterval,
      instanceId: options.instanceId,
      ...(options.namespace !== undefined && { namespace: options.namespace }),
      ...(warehouse && { warehouse }),
    }
    for (const topology of topologies) {
      if (stop.signal.aborted) break
      const name = topology.name
      const child = logger.child({ topology: name })
      const starting = StreamProcess.start({ ...shared, topology, logger: child })
      const process = await Promise.race([starting, stop.failure])
      processes.push(process)
      opened.add(
        () => process.close(),
        () => process.kill(),
      )
      const place = `on ${log.name}${warehouse ? ` into ${warehouse.name}` : ''}`
      logger.info(`Topology "${name}" runs ${place}, ${options.guarantee.replaceAll('_', ' ')}.`)
    }
    await untilStopped(processes, options.statusInterval, logger, stop)
    await opened.close()
  } catch (thrown) {
    await opened.abandon()
    throw thrown
  }
}

/** Runs all until a signal comes; one that fails stops the others, which then commit and close. */
async function untilStopped(
  processes: readonly StreamProcess[],
  statusInterval: number,
  logger: Logger,
  stop: StopSignal,
): Promise<void> {
  const failed = new AbortController()
  const signal = AbortSignal.any([stop.signal, failed.signal])
  const status = setInterval(() => {
    for (const process of processes) logStatus(process, logger)
  }, statusInterval)
  try {
    const running = processes.map(async process => {
      try {
        await process.run(signal)
      } catch (thrown) {
        failed.abort()
        throw thrown
      }
    })
    const ended = Promise.allSettled(running).then(results => {
      const failure = results.find(result => result.status === 'rejected')
      if (failure) throw failure.reason
    })
    await Promise.race([ended, stop.failure])
  } finally {
    clearInterval(status)
  }
}

function logStatus(process: StreamProcess, logger: Logger): void {
  process.status().then(
    ({ accounting, ...rest }) => logger.info({ ...accounting, ...rest }, 'Figures as of the last commit.'),
    thrown => logger.debug(`No figures: ${messageOf(thrown)}`),
  )
}
