import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  kafkaSettings,
  kafkaTokens,
  openLog,
  openWarehouse,
  schemaRegistry,
  storeEngine,
} from '../../src/cli/adapters.js'
import { createLogger } from '../../src/cli/logger.js'
import { STORE_ENGINES } from '../../src/cli/options.js'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-adapters-'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

describe('kafkaSettings', () => {
  it('flags win over the variable, the variable over the file', () => {
    const file = join(directory, 'kafka.properties')
    writeFileSync(file, 'sasl.password=file\nsasl.username=file\nacks=file\n')
    vi.stubEnv('MILLRACE_KAFKA_CONFIG', 'sasl.password=variable\nsasl.username=variable')
    expect(kafkaSettings({ kafkaConfigFile: file, kafkaConfig: { 'sasl.password': 'flag' } })).toEqual({
      'sasl.password': 'flag',
      'sasl.username': 'variable',
      acks: 'file',
    })
  })

  it('names a file that cannot be used, and nothing in it', () => {
    const file = join(directory, 'kafka.properties')
    expect(() => kafkaSettings({ kafkaConfigFile: file })).toThrow(`--kafka-config-file ${file} cannot be used: ENOENT`)
    writeFileSync(file, 'hunter2')
    expect(() => kafkaSettings({ kafkaConfigFile: file })).toThrow(/cannot be used: Setting 1 is not of the form/)
    expect(() => kafkaSettings({ kafkaConfigFile: file })).not.toThrow(/hunter2/)
  })
})

describe('kafkaTokens', () => {
  it('are signed for the region of the flag, else of AWS variables, which must say one', async () => {
    const flags = { kafkaAuth: 'aws-msk-iam' as const }
    const environment = { AWS_REGION: '', AWS_DEFAULT_REGION: 'eu-west-2' }
    const named = [
      kafkaTokens({ ...flags, awsRegion: 'eu-west-1' }, environment),
      kafkaTokens(flags, environment),
      kafkaTokens(flags, { ...environment, AWS_REGION: 'us-east-1' }),
    ]
    const regions = (await Promise.all(named)).map(source => source?.name)
    expect(regions).toEqual(['eu-west-1', 'eu-west-2', 'us-east-1'].map(region => `MSK IAM in ${region}`))
    expect(await kafkaTokens({}, environment)).toBeUndefined()
    await expect(kafkaTokens(flags, {})).rejects.toThrow(/Pass --aws-region, or set AWS_REGION/)
  })
})

describe('openWarehouse', () => {
  it.each([
    ['postgres://me:hunter2@db:5433/analytics', 'PostgreSQL at db:5433/analytics'],
    ['postgresql://db/analytics', 'PostgreSQL at db:5432/analytics'],
    ['pglite:some/folder', 'PGlite in some/folder'],
    ['pglite:///var/folder', 'PGlite in /var/folder'],
  ])('%s', async (address, name) => {
    const warehouse = openWarehouse(address)
    expect(warehouse.name).toBe(name)
    await warehouse.close()
  })

  it('does not repeat an address that it does not know', () => {
    expect(() => openWarehouse('mysql://me:hunter2@db/x')).toThrow(/none of redshift:.*postgres:/)
    expect(() => openWarehouse('mysql://me:hunter2@db/x')).not.toThrow(/hunter2/)
    expect(() => openWarehouse('pglite:')).toThrow(/pglite:FOLDER/)
  })
})

describe('storeEngine', () => {
  it.each(STORE_ENGINES)('%s', name => {
    expect(storeEngine(name).name).toBe(name)
  })
})

describe('openLog', () => {
  it('keeps the embedded log on disk, also where state is in memory', async () => {
    const flags = { state: directory, schemas: directory, storeEngine: 'memory' as const }
    const logger = createLogger({ level: 'silent', readable: false })
    const first = await openLog(flags, logger)
    expect(first.name).toBe(`the embedded log in ${join(directory, 'log')}`)
    await first.createTopics([{ name: 'kept', partitions: 2, config: {} }])
    await expect(openLog(flags, logger)).rejects.toMatchObject({ code: 'LOG_IN_USE' })
    await first.close()
    const second = await openLog(flags, logger)
    expect((await second.describeTopics(['kept'])).get('kept')?.partitions).toBe(2)
    await second.close()
  })
})

describe('schemaRegistry', () => {
  it('keeps what is registered in the state folder', async () => {
    const flags = { schemas: join(directory, 'none'), state: join(directory, 'state') }
    const schema = { type: 'record', name: 'Score', fields: [{ name: 'points', type: 'long' }] }
    const id = await schemaRegistry(flags).register('scores-value', schema)
    expect(await schemaRegistry(flags).schema(id)).toEqual(schema)
  })

  it('is the server that is given, asked only when something is asked of it', async () => {
    const given = { schemas: directory, state: directory, registry: 'http://me:hunter2@127.0.0.1:1/base' }
    const registry = schemaRegistry(given)
    await expect(registry.schema(1)).rejects.toThrow('The schema registry http://127.0.0.1:1/base does not answer')
    expect(() => schemaRegistry({ ...given, registry: '127.0.0.1' })).toThrow('--registry')
  })
})
