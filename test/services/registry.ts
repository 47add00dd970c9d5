import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const VERSION = '3.0.9'
/** The registry's distribution, fetched and unpacked once. */
const DISTRIBUTION = fileURLToPath(
  new URL(`../../node_modules/.cache/millrace/apicurio-registry-${VERSION}`, import.meta.url),
)
const JAR = `apicurio-registry-app-${VERSION}-runner.jar`
const START_MS = 60_000

/** A schema registry of the tests: Apicurio, which serves the Confluent API, on 127.0.0.1. */
export interface RegistryService {
  /** Root of the Confluent API. */
  readonly url: string
  readonly port: number
  /** Ends the registry as a crash would. It keeps schemas in memory, so it forgets them. */
  kill(): Promise<void>
  /** Starts an empty one on the same port after `kill`. */
  restart(): Promise<void>
  /** Ends the registry. */
  stop(): Promise<void>
}

/** Why the registry cannot be started here, or undefined where it can. */
export function registryAvailable(): string | undefined {
  if (spawnSync('java', ['-version'], { stdio: 'ignore' }).status !== 0) return 'Java is not installed'
  if (!existsSync(DISTRIBUTION) && spawnSync('mvn', ['-v'], { stdio: 'ignore' }).status !== 0) {
    return 'Maven is not installed'
  }
  return undefined
}

/** Fetches the distribution with Maven where it is not in the cache yet. */
async function fetchDistribution(): Promise<void> {
  if (existsSync(DISTRIBUTION)) return
  const run = promisify(execFile)
  const cache = join(DISTRIBUTION, '..')
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'registry-'))
  try {
    const artifact = `-Dartifact=io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`
    await run('mvn', ['-B', '-q', 'dependency:copy', artifact, `-DoutputDirectory=${folder}`], { cwd: folder })
    await mkdir(join(folder, 'app'))
    await run('tar', ['xzf', join(folder, `apicurio-registry-app-${VERSION}-all.tar.gz`), '-C', join(folder, 'app')])
    await rename(join(folder, 'app'), DISTRIBUTION).catch(thrown => {
      if (!existsSync(DISTRIBUTION)) throw thrown
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

/**
 * Starts a registry on a free port in 3 to 8 seconds (longer where it is to be fetched). It starts empty and, unlike
 * Confluent's, with the compatibility level NONE.
 */
export async function startRegistry(): Promise<RegistryService> {
  await fetchDistribution()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  let server = await start(port, url)
  const end = () => server.kill('SIGKILL')
  process.once('exit', end)
  const kill = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const gone = new Promise(resolve => server.once('exit', resolve))
    server.kill('SIGKILL')
    await gone
  }
  return {
    url,
    port,
    kill,
    async restart() {
      await kill()
      server = await start(port, url)
    },
    async stop() {
      await kill()
      process.removeListener('exit', end)
    },
  }
}

async function start(port: number, url: string): Promise<ChildProcess> {
  const settings = [`-Dquarkus.http.port=${port}`, '-Dquarkus.http.host=127.0.0.1']
  const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const server = spawn('java', [...jvm, ...settings, '-jar', join(DISTRIBUTION, JAR)], {
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [server.stdout, server.stderr]) stream.on('data', data => (output += data))
  const deadline = Date.now() + START_MS
  while (!(await answers(`${url}/subjects`))) {
    const ended = server.exitCode !== null || server.signalCode !== null
    if (ended || Date.now() > deadline) {
      server.kill('SIGKILL')
      throw new Error(`The schema registry did not start:\n${output}`)
    }
    await sleep(100)
  }
  for (const stream of [server.stdout, server.stderr]) stream.removeAllListeners('data').resume()
  return server
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000), headers: { connection: 'close' } })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
