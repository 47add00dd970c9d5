import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Query, type QueryInfo, Trino } from 'trino-client'
import { freePort } from './postgres.js'

const POM = fileURLToPath(new URL('./trino-pom.xml', import.meta.url))
/** Jars of the server (`lib`) and of its connector (`plugin`), fetched once; named after the version in the pom. */
const HOME = fileURLToPath(new URL('../../node_modules/.cache/millrace/trino-368', import.meta.url))
const OLDEST_JAVA = 11
const START_MS = 120_000
const FINAL_INFO_MS = 10_000
/** How long a query waits for a node that runs it. */
const NODES_MS = 20_000

/** What a finished query took, from Trino's final query info (`GET /v1/query/<id>`). */
export interface TrinoStats {
  /** `totalCpuTime` of all tasks. */
  readonly cpuMs: number
  /** From when the query came to its end. */
  readonly elapsedMs: number
  readonly planningMs: number
  /** Rows that Trino's operators took in; where the connector pushes an aggregate down, what PostgreSQL answered. */
  readonly processedRows: number
  /** Rows that the connector handed over. */
  readonly physicalInputRows: number
  readonly peakMemoryBytes: number
  /** `queryStats` as Trino gives it: times as `1.23ms`, sizes as `12B`. */
  readonly raw: Readonly<Record<string, unknown>>
}

/** What a query answers. */
export interface TrinoAnswer {
  readonly id: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** As Trino's JSON has them: varbinary is base64, timestamps and decimals are text, a bigint beyond 2^53 is rounded. */
  readonly rows: readonly (readonly unknown[])[]
  readonly stats: TrinoStats
}

/** Trino of the tests, on 127.0.0.1, with PostgreSQL as catalog `postgresql`. */
export interface TrinoService {
  readonly url: string
  /**
   * Runs one statement to its end. Catalog and schema are `postgresql` and `public` where names leave them out.
   * @throws Error with Trino's message where the query fails.
   */
  query(sql: string, session?: Readonly<Record<string, string>>): Promise<TrinoAnswer>
  /** Ends the server and removes its folder. */
  close(): Promise<void>
}

/** What Trino is started with. */
export interface TrinoOptions {
  /** `postgres://user@host:port/database` that the catalog `postgresql` reads. */
  readonly postgres: string
  /** Heap in MB. Default 1,200, of which a query gets 700 at most. */
  readonly heapMb?: number
  /** Without the JVM's optimising compiler: starts in half the CPU time, and is slower for ever. Default false. */
  readonly quick?: boolean
  /** Further properties of the catalog, such as `metadata.cache-ttl`. */
  readonly catalog?: Readonly<Record<string, string>>
}

/** Why Trino cannot be started here, or undefined where it can. */
export function trinoAvailable(): string | undefined {
  const version = spawnSync('java', ['-version'], { encoding: 'utf8' })
  if (version.status !== 0) return 'Java is not installed'
  const java = Number(/version "(\d+)/.exec(version.stderr)?.[1])
  if (!(java >= OLDEST_JAVA)) return `Java ${OLDEST_JAVA} or later is needed`
  if (!existsSync(HOME) && spawnSync('mvn', ['-v'], { stdio: 'ignore' }).status !== 0) return 'Maven is not installed'
  return undefined
}

/** Fetches server and connector with Maven where they are not in the cache yet: 93 MB. */
async function fetchJars(): Promise<void> {
  if (existsSync(HOME)) return
  const cache = join(HOME, '..')
  await mkdir(cache, { recursive: true })
  const project = await mkdtemp(join(cache, 'trino-'))
  try {
    await cp(POM, join(project, 'pom.xml'))
    const goals = ['dependency:copy-dependencies@lib', 'dependency:unpack-dependencies@plugin']
    await promisify(execFile)('mvn', ['-B', '-q', ...goals], { cwd: project, maxBuffer: 64 * 1024 * 1024 })
    await rename(join(project, 'trino'), HOME).catch(thrown => {
      if (!existsSync(HOME)) throw thrown
    })
  } finally {
    await rm(project, { recursive: true, force: true })
  }
}

/**
 * Starts Trino 368, coordinator and worker in one, on a free port in a temporary folder, in 7 to 15 seconds (longer where
 * the jars are to be fetched). It is ready when it answers a query.
 */
export async function startTrino(options: TrinoOptions): Promise<TrinoService> {
  const { postgres, heapMb = 1200, quick = false, catalog = {} } = options
  await fetchJars()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-trino-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  await writeSettings(folder, url, port, postgres, heapMb, catalog)
  // The test's own time zone must not show in answers.
  const jvm = [`-Xmx${heapMb}m`, '-XX:+UseG1GC', '-Duser.timezone=UTC', '-Djdk.attach.allowAttachSelf=true']
  if (quick) jvm.push('-XX:TieredStopAtLevel=1')
  const server = spawn(
    'java',
    [...jvm, '-Dconfig=config.properties', '-cp', join(HOME, 'lib', '*'), 'io.trino.server.TrinoServer'],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const end = () => server.kill('SIGKILL')
  process.once('exit', end)
  const close = async () => {
    process.removeListener('exit', end)
    if (server.exitCode === null && server.signalCode === null) {
      const gone = new Promise(resolve => server.once('exit', resolve))
      server.kill('SIGKILL')
      await gone
    }
    await rm(folder, { recursive: true, force: true })
  }
  const query = (sql: string, session?: Readonly<Record<string, string>>) => run(url, sql, session)
  try {
    await waitUntilReady(server, query)
  } catch (thrown) {
    await close()
    throw thrown
  }
  return { url, query, close }
}

async function writeSettings(
  folder: string,
  url: string,
  port: number,
  postgres: string,
  heapMb: number,
  properties: Readonly<Record<string, string>>,
): Promise<void> {
  const queryMb = Math.floor(heapMb * 0.58)
  const settings = {
    coordinator: 'true',
    'node-scheduler.include-coordinator': 'true',
    'http-server.http.port': `${port}`,
    'http-server.log.enabled': 'false',
    'discovery.uri': url,
    'node.environment': 'test',
    'node.internal-address': '127.0.0.1',
    'plugin.dir': join(HOME, 'plugin'),
    'catalog.config-dir': join(folder, 'catalog'),
    'log.levels-file': join(folder, 'log.properties'),
    'query.max-memory': `${queryMb}MB`,
    'query.max-total-memory': `${queryMb}MB`,
    'query.max-memory-per-node': `${queryMb}MB`,
    'query.max-total-memory-per-node': `${queryMb}MB`,
    'memory.heap-headroom-per-node': `${Math.floor(heapMb * 0.3)}MB`,
  }
  const { host, pathname, username, password } = new URL(postgres)
  const catalog = {
    'connector.name': 'postgresql',
    'connection-url': `jdbc:postgresql://${host}${pathname}`,
    'connection-user': decodeURIComponent(username),
    'connection-password': decodeURIComponent(password) || 'none',
    ...properties,
  }
  const levels = { 'io.trino': 'WARN', 'io.airlift': 'WARN', Bootstrap: 'WARN', 'org.eclipse.jetty': 'WARN' }
  await mkdir(join(folder, 'catalog'))
  for (const [file, entries] of [
    ['config.properties', settings],
    ['log.properties', levels],
    [join('catalog', 'postgresql.properties'), catalog],
  ] as const) {
    const lines = Object.entries(entries).map(([key, value]) => `${key}=${value}\n`)
    await writeFile(join(folder, file), lines.join(''))
  }
}

async function waitUntilReady(server: ChildProcess, query: TrinoService['query']): Promise<void> {
  let output = ''
  for (const stream of [server.stdout, server.stderr]) stream?.on('data', data => (output += data))
  const deadline = Date.now() + START_MS
  for (;;) {
    try {
      // A query of the catalog needs an active node, and the connector.
      await query('SELECT count(*) FROM postgresql.information_schema.schemata')
      break
    } catch (thrown) {
      const ended = server.exitCode !== null || server.signalCode !== null
      if (ended || Date.now() > deadline) {
        throw new Error(`Trino did not start:\n${output.slice(-10_000)}`, { cause: thrown })
      }
      await sleep(200)
    }
  }
  for (const stream of [server.stdout, server.stderr]) stream?.removeAllListeners('data').resume()
}

class TrinoError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(`Trino: ${code}: ${message}`)
  }
}

/** A node of a server that has just started announces its connectors a moment after the coordinator answers. */
async function run(url: string, sql: string, session: Readonly<Record<string, string>> = {}): Promise<TrinoAnswer> {
  for (const deadline = Date.now() + NODES_MS; ; ) {
    try {
      return await runOnce(url, sql, session)
    } catch (thrown) {
      const early = thrown instanceof TrinoError && thrown.code === 'NO_NODES_AVAILABLE'
      if (!early || Date.now() > deadline) throw thrown
      await sleep(200)
    }
  }
}

async function runOnce(url: string, sql: string, session: Readonly<Record<string, string>>): Promise<TrinoAnswer> {
  const client = Trino.create({ server: url, catalog: 'postgresql', schema: 'public' })
  // The header X-Trino-User comes from `user`; the environment may have none.
  const query: Query = { query: sql, user: 'millrace', session: { ...session } }
  let id = ''
  let columns: TrinoAnswer['columns'] = []
  const rows: (readonly unknown[])[] = []
  for await (const page of await client.query(query)) {
    id = page.id
    if (page.error) throw new TrinoError(page.error.errorName, `${page.error.message}\n${sql}`)
    if (page.columns) columns = page.columns
    for (const row of page.data ?? []) rows.push(row)
  }
  return { id, columns, rows, stats: await finalStats(url, id) }
}

interface FinalInfo extends QueryInfo {
  readonly finalQueryInfo: boolean
  readonly queryStats: Readonly<Record<string, unknown>>
}

async function finalStats(url: string, id: string): Promise<TrinoStats> {
  const client = Trino.create({ server: url, extraHeaders: { 'X-Trino-User': 'millrace' } })
  const deadline = Date.now() + FINAL_INFO_MS
  let info = (await client.queryInfo(id)) as FinalInfo
  while (!info.finalQueryInfo && Date.now() < deadline) {
    await sleep(10)
    info = (await client.queryInfo(id)) as FinalInfo
  }
  const { queryStats: raw } = info
  return {
    cpuMs: milliseconds(raw.totalCpuTime),
    elapsedMs: milliseconds(raw.elapsedTime),
    planningMs: milliseconds(raw.planningTime),
    processedRows: Number(raw.processedInputPositions),
    physicalInputRows: Number(raw.physicalInputPositions),
    peakMemoryBytes: bytes(raw.peakTotalMemoryReservation),
    raw,
  }
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Airlift's Duration: `1.23ms`. */
function milliseconds(duration: unknown): number {
  const [, value, unit = ''] = /^([\d.]+)([a-z]+)$/.exec(String(duration)) ?? []
  return Number(value) * (UNITS[unit] ?? Number.NaN)
}

/** Airlift's DataSize: `12B`, `1.5MB`. */
function bytes(size: unknown): number {
  const [, value, unit = ''] = /^([\d.]+)([kMGTP]?)B$/.exec(String(size)) ?? []
  return Number(value) * 1024 ** ['', 'k', 'M', 'G', 'T', 'P'].indexOf(unit)
}
