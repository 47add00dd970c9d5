import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const START_MS = 30_000

/** How often targets are scraped and rules evaluated. */
const INTERVAL = '1s'

/** One element of an instant vector. */
export interface PrometheusSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A Prometheus server of the tests. */
export interface PrometheusService {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
  /** What a PromQL expression is now. */
  query(expression: string): Promise<readonly PrometheusSample[]>
  /** `data` of an answer of its HTTP API, such as `targets` or `rules`. */
  api(path: string): Promise<unknown>
  /** Ends the server and deletes its data. */
  stop(): Promise<void>
}

/** Why no Prometheus server can be started here; undefined where it can. */
export function prometheusAvailable(): string | undefined {
  for (const program of ['prometheus', 'promtool']) {
    if (spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0) {
      return `${program} is not installed (Debian's package is prometheus)`
    }
  }
  return undefined
}

/** What `promtool` answers, and whether it found a fault. */
export function promtool(
  args: readonly string[],
  input = '',
): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', input })
  return { status, output: `${stdout}${stderr}` }
}

/** Starts Prometheus on a free port; it scrapes `targets` (`host:port`) every second and evaluates `rules`, files. */
export async function startPrometheus({
  targets,
  rules = [],
}: {
  readonly targets: readonly string[]
  readonly rules?: readonly string[]
}): Promise<PrometheusService> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-prometheus-'))
  const file = join(folder, 'prometheus.json')
  const config = {
    global: { scrape_interval: INTERVAL, scrape_timeout: INTERVAL, evaluation_interval: INTERVAL },
    rule_files: rules,
    scrape_configs: [{ job_name: 'millrace', static_configs: [{ targets }] }],
  }
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const server = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data
    })
  }
  const end = () => server.kill('SIGKILL')
  process.once('exit', end)
  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null) {
      const gone = once(server, 'exit')
      server.kill('SIGKILL')
      await gone
    }
    process.removeListener('exit', end)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await ready(url, server, () => output)
  } catch (thrown) {
    await stop()
    throw thrown
  }
  const api = async (path: string): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1/${path}`)
    const answer = (await response.json()) as { readonly data?: unknown; readonly error?: string }
    if (answer.error !== undefined) throw new Error(`Prometheus refused ${path}: ${answer.error}`)
    return answer.data
  }
  return {
    url,
    api,
    stop,
    async query(expression) {
      const data = (await api(`query?query=${encodeURIComponent(expression)}`)) as {
        readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[]
      }
      return data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }))
    },
  }
}

async function ready(url: string, server: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + START_MS
  for (;;) {
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined)
    if (answer?.ok) return
    if (server.exitCode !== null || Date.now() > deadline) throw new Error(`Prometheus did not start:\n${output()}`)
    await sleep(50)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
