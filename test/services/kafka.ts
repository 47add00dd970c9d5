import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const POM = fileURLToPath(new URL('./kafka-pom.xml', import.meta.url))
/** Jars of the broker, fetched once; named after the version in the pom. */
const LIBS = fileURLToPath(new URL('../../node_modules/.cache/millrace/kafka-4.3.1', import.meta.url))
const CLUSTER_ID = 'bWlsbHJhY2UtdGVzdHMtMQ'
const START_MS = 60_000

/** One Kafka broker of the tests, in KRaft mode, on 127.0.0.1. */
export interface KafkaService {
  /** For `bootstrap.servers`. */
  readonly brokers: string
  /** The same broker without TLS and authentication, as its own requests and administrators reach it. */
  readonly inside: string
  readonly port: number
  /** Runs a class of the broker's jars, such as `org.apache.kafka.tools.AclCommand`, to its end. Answers its stdout. */
  tool(...command: readonly string[]): Promise<string>
  /** Ends the broker as a crash would; its data and its port stay. */
  kill(): Promise<void>
  /** Starts it again after `kill`. */
  restart(): Promise<void>
  /** Ends the broker and removes its data. */
  stop(): Promise<void>
}

/** Why Kafka cannot be started here, or undefined where it can. */
export function kafkaAvailable(): string | undefined {
  if (spawnSync('java', ['-version'], { stdio: 'ignore' }).status !== 0) return 'Java is not installed'
  if (!existsSync(LIBS) && spawnSync('mvn', ['-v'], { stdio: 'ignore' }).status !== 0) return 'Maven is not installed'
  return undefined
}

/** Fetches the broker's jars with Maven where they are not in the cache yet. */
async function fetchJars(): Promise<void> {
  if (existsSync(LIBS)) return
  const project = await mkdtemp(join(tmpdir(), 'millrace-kafka-jars-'))
  try {
    await cp(POM, join(project, 'pom.xml'))
    const output = join(project, 'jars')
    const goal = ['-B', '-q', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${output}`]
    await promisify(execFile)('mvn', goal, { cwd: project, maxBuffer: 64 * 1024 * 1024 })
    await mkdir(join(LIBS, '..'), { recursive: true })
    const complete = `${LIBS}.${process.pid}`
    await cp(output, complete, { recursive: true })
    await rename(complete, LIBS).catch(async thrown => {
      await rm(complete, { recursive: true, force: true })
      if (!existsSync(LIBS)) throw thrown
    })
  } finally {
    await rm(project, { recursive: true, force: true })
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      server =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(typeof address === 'object' && address ? address.port : 0)
          })
        }),
    ),
  )
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

/** How clients reach a broker, where that is not in plain text. */
export interface ClientListener {
  readonly protocol: 'SASL_PLAINTEXT' | 'SASL_SSL' | 'SSL'
  /** Further arguments of `StorageTool format`, such as SCRAM users. */
  readonly format?: readonly string[]
}

/** Of clients under `CLIENT`; the broker's own requests, such as the markers of transactions, go in plain text. */
function separateListeners(protocol: string, port: number, inside: number, controller: number): Record<string, string> {
  const listeners = `CLIENT://127.0.0.1:${port},INTERNAL://127.0.0.1:${inside}`
  return {
    listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': listeners,
    'listener.security.protocol.map': `CLIENT:${protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    'inter.broker.listener.name': 'INTERNAL',
  }
}

/**
 * Starts one broker on free ports in a temporary folder, in 2 to 4 seconds (longer where the jars are to be fetched).
 * Groups heartbeat every 300 ms and lose a silent member after 6 s. `settings` are added to server.properties.
 */
export async function startKafka(
  settings: Readonly<Record<string, string>> = {},
  client?: ClientListener,
): Promise<KafkaService> {
  await fetchJars()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-'))
  const [port, controller, separate] = (await freePorts(3)) as [number, number, number]
  const inside = client ? separate : port
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    ...(client && separateListeners(client.protocol, port, inside, controller)),
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'broker.session.timeout.ms': '2000',
    'broker.heartbeat.interval.ms': '500',
    'group.initial.rebalance.delay.ms': '0',
    'log.initial.task.delay.ms': '500',
    'log.retention.check.interval.ms': '1000',
    'group.consumer.min.session.timeout.ms': '6000',
    'group.consumer.session.timeout.ms': '6000',
    'group.consumer.min.heartbeat.interval.ms': '300',
    'group.consumer.heartbeat.interval.ms': '300',
    ...settings,
  }
  const file = join(folder, 'server.properties')
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
  await writeFile(file, lines.join(''))
  const logging = join(folder, 'log4j2.properties')
  await writeFile(
    logging,
    'appender.console.type=Console\nappender.console.name=console\nappender.console.layout.type=PatternLayout\nappender.console.layout.pattern=%p %c %m%n\nrootLogger.level=WARN\nrootLogger.appenderRef.console.ref=console\nlogger.server.name=kafka.server.KafkaRaftServer\nlogger.server.level=INFO\n',
  )
  const jvm = [
    '-Xmx512m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dlog4j2.configurationFile=${logging}`,
    '-cp',
    join(LIBS, '*'),
  ]
  const tool = async (...command: readonly string[]) =>
    (await promisify(execFile)('java', [...jvm, ...command], { maxBuffer: 2 ** 24 })).stdout
  await tool('kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file, ...(client?.format ?? []))

  let broker = await start(jvm, file)
  const end = () => broker.kill('SIGKILL')
  process.once('exit', end)
  const kill = async () => {
    if (broker.exitCode !== null || broker.signalCode !== null) return
    const gone = new Promise(resolve => broker.once('exit', resolve))
    broker.kill('SIGKILL')
    await gone
  }
  return {
    brokers: `127.0.0.1:${port}`,
    inside: `127.0.0.1:${inside}`,
    port,
    tool,
    kill,
    async restart() {
      broker = await start(jvm, file)
    },
    async stop() {
      await kill()
      process.removeListener('exit', end)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function start(jvm: readonly string[], file: string): Promise<ChildProcess> {
  const broker = spawn('java', [...jvm, 'kafka.Kafka', file], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      broker.kill('SIGKILL')
      reject(new Error(`Kafka did not start within ${START_MS} ms:\n${output}`))
    }, START_MS)
    const listen = (data: Buffer) => {
      output += data
      if (!output.includes('Kafka Server started')) return
      clearTimeout(timer)
      resolve()
    }
    broker.stdout.on('data', listen)
    broker.stderr.on('data', listen)
    broker.once('exit', code => {
      clearTimeout(timer)
      reject(new Error(`Kafka ended with code ${code}:\n${output}`))
    })
  })
  for (const stream of [broker.stdout, broker.stderr]) stream.removeAllListeners('data').resume()
  return broker
}
