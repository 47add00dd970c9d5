import { join } from 'node:path'
import type { Logger } from 'pino'
import { MillraceError, messageOf } from '../model/errors.js'
import type { Log } from '../ports/log.js'
import type { Metrics } from '../ports/metrics.js'
import type { Warehouse } from '../ports/warehouse.js'
import { memoryPlan } from '../runtime/memory-plan.js'
import { StreamProcess } from '../runtime/stream-process.js'
import { WarehousePermits } from '../runtime/warehouse-permits.js'
import { avroSerde } from '../serde/avro-serde.js'
import type { Topology } from '../topology/node.js'
import type { Heartbeat } from '../worker/process-status.js'
import { openLog, openWarehouse, schemaRegistry, storeEngine } from './adapters.js'
import { OpenResources } from './open-resources.js'
import type { RunOptions } from './run-options.js'
import { systemClock } from './system-clock.js'

/** Time that the others have to commit and to close when one topology failed, in ms. */
const CLOSE_AFTER_FAILURE = 10_000

/** When a process that runs several topologies has to end, and what it must not outlive. */
export interface HostSignals {
  /** Aborts when it is time to commit and to leave. */
  readonly drain: AbortSignal
  /** Rejects with an error that nothing else handled. */
  readonly failure: Promise<never>
}

/** Runs topologies in this process: one slot of a worker. */
export class StreamHost {
  private readonly started = new Map<string, StreamProcess>()

  constructor(
    private readonly topologies: readonly Topology[],
    private readonly options: RunOptions,
    private readonly slot: number,
    private readonly logger: Logger,
    private readonly metrics: Metrics,
  ) {}

  /** How each topology is, as of now. */
  heartbeat(): Heartbeat {
    return {
      topologies: this.topologies.map(({ name }) => {
        const process = this.started.get(name)
        return { topology: name, ...(process && { health: process.health() }) }
      }),
    }
  }

  /**
   * Runs the topologies until `drain` aborts, then commits, flushes and closes. One that fails stops the others, which then
   * commit and close.
   * @throws MillraceError when something keeps it from starting or going on; everything is closed by then.
   */
  async run({ drain, failure }: HostSignals): Promise<void> {
    const opened = new OpenResources()
    const status = setInterval(() => this.logStatus(), this.options.statusInterval)
    try {
      await Promise.race([this.runAll(opened, drain), failure])
      // A start that the signal interrupted may still wait for a broker.
      await (this.started.size < this.topologies.length ? opened.abandon() : opened.close())
    } catch (thrown) {
      await opened.abandon()
      throw thrown
    } finally {
      clearInterval(status)
    }
  }

  private async runAll(opened: OpenResources, drain: AbortSignal): Promise<void> {
    const failed = new AbortController()
    const running: Promise<void>[] = []
    try {
      await this.start(opened, AbortSignal.any([drain, failed.signal]), run => {
        run.catch(() => failed.abort())
        running.push(run)
      })
      await Promise.all(running)
    } catch (thrown) {
      failed.abort()
      await Promise.race([Promise.allSettled(running), systemClock.sleep(CLOSE_AFTER_FAILURE)])
      throw thrown
    }
  }

  /** Starts one topology after the other; each runs as soon as it has started. Ends early when `stop` aborts. */
  private async start(opened: OpenResources, stop: AbortSignal, running: (run: Promise<void>) => void): Promise<void> {
    const { options, slot, logger } = this
    const warehouse = warehouseFor(this.topologies, options)
    if (warehouse) opened.add(() => warehouse.close())
    const { memory: total, ...flags } = options
    const memory = total === undefined ? undefined : memoryPlan(total, options.processes, this.topologies.length)
    const log = await openLog({ ...flags, ...(memory && { memory }) }, logger)
    opened.add(() => log.close())
    const stopped = new Promise<undefined>(resolve => stop.addEventListener('abort', () => resolve(undefined)))
    let permits: Promise<WarehousePermits> | undefined
    opened.add(async () => (await permits?.catch(() => undefined))?.close())
    const shared = {
      log,
      serde: avroSerde(schemaRegistry(options, logger)),
      stores: storeEngine(options.storeEngine),
      stateDirectory: join(options.state, 'stores', String(slot)),
      clock: systemClock,
      metrics: this.metrics,
      guarantee: options.guarantee,
      commitInterval: options.commitInterval,
      instanceId: `${options.instanceId}-${slot}`,
      stop,
      ...(options.namespace !== undefined && { namespace: options.namespace }),
      ...(warehouse && { warehouse }),
      ...(warehouse && {
        permits: () => {
          permits ??= this.permits(log, warehouse)
          return permits
        },
      }),
      ...(memory && { memory }),
    }
    for (const topology of this.topologies) {
      if (stop.aborted) return
      const { name } = topology
      const starting = StreamProcess.start({ ...shared, topology, logger: logger.child({ topology: name }) })
      const process = await Promise.race([starting, stopped])
      if (process === undefined) {
        starting.catch(() => undefined)
        return
      }
      this.started.set(name, process)
      opened.add(
        () => process.close(),
        () => process.kill(),
      )
      const place = `on ${log.name}${warehouse ? ` into ${warehouse.name}` : ''}`
      logger.info(`Topology "${name}" runs ${place}, ${options.guarantee.replaceAll('_', ' ')}.`)
      running(process.run(stop))
    }
  }

  /** Permits for sessions in the warehouse, which all topologies share that write to it. */
  private permits(log: Log, warehouse: Warehouse): Promise<WarehousePermits> {
    const topologies = writersOf(this.topologies).map(({ name }) => name)
    const { namespace, warehouseSessions: sessions } = this.options
    return WarehousePermits.open({
      log,
      warehouse,
      topologies,
      sessions,
      clock: systemClock,
      logger: this.logger,
      ...(namespace !== undefined && { namespace }),
    })
  }

  private logStatus(): void {
    for (const [topology, process] of this.started) {
      process.status().then(
        ({ accounting, ...rest }) =>
          this.logger.info({ topology, ...accounting, ...rest }, 'Figures as of the last commit.'),
        thrown => this.logger.debug(`No figures: ${messageOf(thrown)}`),
      )
    }
  }
}

function warehouseFor(topologies: readonly Topology[], options: RunOptions): Warehouse | undefined {
  if (options.warehouse !== undefined) return openWarehouse(options.warehouse, options)
  const writers = writersOf(topologies)
  if (writers.length === 0) return undefined
  if (options.kafka === undefined) return openWarehouse(`pglite:${join(options.state, 'warehouse')}`)
  throw new MillraceError(
    'INVALID_OPTION',
    `${writers.map(({ name }) => `"${name}"`).join(', ')} writes to a warehouse, and none is given. Pass --warehouse redshift://user@host:5439/database or postgres://user@host:port/database, and the password by MILLRACE_WAREHOUSE_PASSWORD.`,
  )
}

function writersOf(topologies: readonly Topology[]): readonly Topology[] {
  return topologies.filter(({ outputs }) => outputs.some(node => node.kind === 'to-warehouse'))
}
