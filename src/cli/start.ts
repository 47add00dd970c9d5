import { rmSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { MillraceError } from '../model/errors.js'
import type { Log } from '../ports/log.js'
import type { Warehouse } from '../ports/warehouse.js'
import { tableSpec } from '../runtime/rows-program.js'
import { StreamProcess } from '../runtime/stream-process.js'
import { avroSerde } from '../serde/avro-serde.js'
import { readSchemaFile } from '../serde/schema-files.js'
import type { Topology, WarehouseSinkNode } from '../topology/node.js'
import { dataDirectory } from '../warehouse/pglite/data-directory.js'
import { openLog, openWarehouse, schemaRegistry, storeEngine } from './adapters.js'
import type { Io } from './io.js'
import type { LiveLine } from './live-line.js'
import { loadTopologies } from './load-topology.js'
import { OpenResources } from './open-resources.js'
import type { StoreEngineName } from './options.js'
import { QUEST_TOPIC } from './produce.js'
import { prove, type TableRow } from './proof.js'
import { type ProductionOptions, produceDemo } from './start-production.js'
import { StartProgress } from './start-progress.js'
import { failuresOf, jsonLine, reportText, type StartResult } from './start-report.js'
import type { StopSignal } from './stop-signal.js'
import { systemClock } from './system-clock.js'
import { targetTopic } from './target-topic.js'

export interface StartOptions extends ProductionOptions {
  /** Default: a temporary folder, which is removed at the end. */
  readonly state?: string
  readonly storeEngine: StoreEngineName
  /** One line of JSON on stdout; all else goes to stderr. */
  readonly json: boolean
}

/** What a start talks to and listens to. */
export interface StartConsole {
  readonly io: Io
  readonly logger: Logger
  /** Absent where stderr is no terminal. */
  readonly live: LiveLine | undefined
  readonly stop: StopSignal
}

const TOPOLOGY = fileURLToPath(new URL('../../topologies/quest-minute.ts', import.meta.url))
const SCHEMAS = fileURLToPath(new URL('../../schemas', import.meta.url))

/** Longest wait for records while others are being produced, in ms. */
const POLL_MS = 20

/** A folder that goes with the process. */
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-start-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function questMinute(): Promise<{ readonly topology: Topology; readonly sink: WarehouseSinkNode }> {
  for (const topology of await loadTopologies(TOPOLOGY)) {
    for (const sink of topology.outputs) if (sink.kind === 'to-warehouse') return { topology, sink }
  }
  throw new MillraceError('LOAD', `${TOPOLOGY} has no topology with a warehouse table.`)
}

/**
 * `millrace start`: makes seeded quest events, aggregates them into rows a minute, and proves the rows by the raw events. All
 * in this process: embedded log, RocksDB, PGlite. A signal ends the production; what was made is processed and proved.
 * @returns the exit code: 0, or 1 when the proof fails.
 * @throws MillraceError when something keeps it from starting or going on.
 */
export async function startCommand(options: StartOptions, { io, logger, live, stop }: StartConsole): Promise<number> {
  const state = options.state ?? (await temporaryFolder())
  logger.info(`All is kept in ${state}${options.state === undefined ? ', which is removed at the end' : ''}.`)
  live?.show('Starting.')
  const opened = new OpenResources()
  try {
    const flags = { state, schemas: SCHEMAS, storeEngine: options.storeEngine }
    const log = await openLog(flags, logger)
    opened.add(() => log.close())
    // Making a new database takes some 750 MB for a while: now, while little else is in memory.
    const tables = join(state, 'warehouse')
    await mkdir(tables, { recursive: true })
    await dataDirectory(tables)
    const warehouse = openWarehouse(`pglite:${tables}`)
    opened.add(() => warehouse.close())
    const demo = new Demo(options, flags, log, warehouse, { io, logger, live, stop }, opened)
    const result = await Promise.race([demo.run(), stop.failure])
    await opened.close()
    live?.clear()
    if (options.json) io.err(reportText(result))
    io.out(options.json ? jsonLine(result) : reportText(result))
    return failuresOf(result).length === 0 ? 0 : 1
  } catch (thrown) {
    live?.clear()
    await opened.abandon()
    throw thrown
  }
}

type Flags = Pick<StartOptions, 'storeEngine'> & { readonly state: string; readonly schemas: string }

/** One run, from the first event to the proof. */
class Demo {
  constructor(
    private readonly options: StartOptions,
    private readonly flags: Flags,
    private readonly log: Log,
    private readonly warehouse: Warehouse,
    private readonly console: StartConsole,
    private readonly opened: OpenResources,
  ) {}

  async run(): Promise<StartResult> {
    const { topology, sink } = await questMinute()
    await targetTopic(this.log, QUEST_TOPIC)
    const { logger, live } = this.console
    // Before anything else, because making a new database takes much memory for a while.
    await this.warehouse.prepare(tableSpec(sink))
    const registry = schemaRegistry(this.flags)
    const process = await StreamProcess.start({
      topology,
      log: this.log,
      serde: avroSerde(registry),
      stores: storeEngine(this.flags.storeEngine),
      stateDirectory: join(this.flags.state, 'stores'),
      warehouse: this.warehouse,
      clock: systemClock,
      instanceId: 'start',
      logger: { info: message => logger.debug(message), warn: message => logger.warn(message) },
    })
    this.opened.add(
      () => process.close(),
      () => process.kill(),
    )
    const progress = new StartProgress(() => process.status(), logger, live)
    try {
      await this.produceInto(process, registry)
      await process.settle()
    } finally {
      progress.stop()
    }
    const { accounting } = await process.status()
    await process.close()
    live?.show('Proving: all events are read again.')
    const { schema } = readSchemaFile(join(SCHEMAS, 'quest-event.avsc'))
    const proof = await prove(this.log, QUEST_TOPIC, schema, this.rows(sink))
    return { accounting, proof, ...consumed() }
  }

  /** Produces and processes at the same time, until all is produced. */
  private async produceInto(process: StreamProcess, registry: ReturnType<typeof schemaRegistry>): Promise<void> {
    const failed = new AbortController()
    let producing = true
    const production = produceDemo(this.options, {
      log: this.log,
      registry,
      planFile: join(this.flags.state, 'start.json'),
      lag: async () => (await process.status()).lag,
      signal: AbortSignal.any([this.console.stop.signal, failed.signal]),
    }).finally(() => {
      producing = false
    })
    const processing = (async () => {
      while (producing) await process.step(POLL_MS)
    })()
    processing.catch(() => failed.abort())
    const ends = await Promise.allSettled([processing, production])
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  private async *rows(sink: WarehouseSinkNode): AsyncIterable<TableRow> {
    const table = tableSpec(sink)
    for await (const row of this.warehouse.rows(table)) {
      yield Object.fromEntries(table.columns.map((column, i) => [column.name, row[i] ?? null]))
    }
  }
}

function consumed(): Pick<StartResult, 'seconds' | 'cpuSeconds' | 'peakRssMb'> {
  const { user, system } = process.cpuUsage()
  return {
    seconds: performance.now() / 1_000,
    cpuSeconds: (user + system) / 1_000_000,
    peakRssMb: process.resourceUsage().maxRSS / 1_024,
  }
}
