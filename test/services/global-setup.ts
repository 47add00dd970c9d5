import { readFile } from 'node:fs/promises'
import type { ProvidedContext } from 'vitest'
import type { TestProject } from 'vitest/node'
import { kafkaAvailable, startKafka } from './kafka.js'
import { postgresAvailable, startPostgres } from './postgres.js'
import { prometheusAvailable } from './prometheus.js'
import { registryAvailable, startRegistry } from './registry.js'
import { trinoAvailable } from './trino.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Bootstrap servers of the run's broker; absent where Kafka cannot run here, or no selected file asks for it. */
    kafka: string | undefined
    /** URL of the run's PostgreSQL server; absent likewise. */
    postgres: string | undefined
    /** Root of the Confluent API of the run's schema registry; absent likewise. */
    registry: string | undefined
  }
}

/** A real service that test files ask for by `inject('<name>')`, or start for themselves. */
type Service = OwnService | SharedService

interface OwnService {
  readonly name: string
  /** What a file that starts its own one contains. */
  readonly own: string
  available(): string | undefined
}

interface SharedService extends OwnService {
  readonly name: keyof ProvidedContext
  start(): Promise<{ readonly address: string; stop(): Promise<void> }>
}

const SERVICES: readonly Service[] = [
  {
    name: 'kafka',
    own: 'Kafka(',
    available: kafkaAvailable,
    async start() {
      const kafka = await startKafka()
      return { address: kafka.brokers, stop: () => kafka.stop() }
    },
  },
  {
    name: 'postgres',
    own: 'startPostgres(',
    available: postgresAvailable,
    async start() {
      const postgres = await startPostgres()
      return { address: postgres.url, stop: () => postgres.stop() }
    },
  },
  {
    name: 'registry',
    own: 'startRegistry(',
    available: registryAvailable,
    async start() {
      const registry = await startRegistry()
      return { address: registry.url, stop: () => registry.stop() }
    },
  },
  { name: 'prometheus', own: 'prometheusAvailable(', available: prometheusAvailable },
  { name: 'trino', own: 'startTrino(', available: trinoAvailable },
]

/**
 * Starts each service once for the whole run, where a selected test file asks for it. One that cannot run here fails
 * the run where `CI=true`; elsewhere its suites are skipped and one line says so. `MILLRACE_TEST_SERVICES=0` starts none.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const files = await selectedFiles(project)
  const stops: (() => Promise<void>)[] = []
  const teardown = async () => {
    await Promise.all(stops.map(stop => stop()))
  }
  const starting = SERVICES.map(async service => {
    const { name, own, available } = service
    if ('start' in service) project.provide(service.name, undefined)
    const shared = files.filter(({ text }) => text.includes(`inject('${name}')`))
    const suites = [...shared, ...files.filter(({ text }) => text.includes(own))].map(({ path }) => path)
    if (suites.length === 0) return
    const reason = process.env.MILLRACE_TEST_SERVICES === '0' ? 'MILLRACE_TEST_SERVICES=0' : available()
    if (reason !== undefined) {
      const message = `Not run, for want of ${name} (${reason}): ${[...new Set(suites)].join(', ')}`
      if (process.env.CI === 'true') throw new Error(message)
      console.warn(message)
      return
    }
    if (shared.length === 0 || !('start' in service)) return
    const { address, stop } = await service.start()
    stops.push(stop)
    project.provide(service.name, address)
  })
  const failed = (await Promise.allSettled(starting)).find(result => result.status === 'rejected')
  if (failed) {
    await teardown()
    throw failed.reason
  }
  return teardown
}

/** Test files that the command line selects (a few too many where an option's value looks like a filter). */
async function selectedFiles(project: TestProject): Promise<{ readonly path: string; readonly text: string }[]> {
  const filters = process.argv
    .slice(2)
    .filter(word => !word.startsWith('-') && !['run', 'watch', 'related', 'bench'].includes(word))
    .map(word => word.replace(/:\d+$/, ''))
  const { testFiles } = await project.globTestFiles(filters.length > 0 ? filters : undefined)
  return Promise.all(testFiles.map(async path => ({ path, text: await readFile(path, 'utf8') })))
}
