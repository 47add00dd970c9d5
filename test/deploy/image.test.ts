import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { allEqual, compareCells, expectedCells, generated } from '../e2e/quest-cells.js'
import { Rig } from '../e2e/rig.js'
import { type KafkaService, kafkaAvailable, startKafka } from '../services/kafka.js'
import { freePort } from '../services/postgres.js'
import { buildahAvailable, buildImage } from './buildah.js'
import { Container, imageConfig } from './container.js'
import { missing } from './missing.js'

const IMAGE = 'localhost/millrace:test'
const HOUR = 3_600_000
const data = { seed: 5, start: Math.floor((Date.now() - 2 * HOUR) / 60_000) * 60_000, spanMs: 2 * HOUR, total: 40_000 }

const postgres = inject('postgres') ?? ''
const unavailable = buildahAvailable() ?? kafkaAvailable() ?? (postgres === '' ? 'no PostgreSQL runs' : undefined)

describe.skipIf(missing('the image', unavailable))('the image', { timeout: 300_000 }, () => {
  let kafka: KafkaService
  beforeAll(async () => {
    await buildImage(IMAGE)
    // A broker of its own, because the topic is the topology's, which other tests fill with other events.
    kafka = await startKafka()
  }, 1_200_000)
  afterAll(() => kafka?.stop())

  it('says how it is run: as nobody, with a health check, under an init', async () => {
    const config = await imageConfig(IMAGE)
    expect(config).toMatchObject({
      User: '1000:1000',
      Entrypoint: ['/usr/bin/tini', '--', 'node', 'dist/cli/main.js'],
      ExposedPorts: { '9095/tcp': {} },
      Volumes: { '/var/lib/millrace': {} },
    })
    expect(config.Env).toContain('MILLRACE_HTTP=0.0.0.0:9095')
    expect(config.Healthcheck.Test[0]).toBe('CMD')
  })

  it('has every codec and authentication, and no compiler', async () => {
    const features = await Container.execute(IMAGE, 'node', '-p', 'require("node-rdkafka").features.join()')
    expect(features.split(',')).toEqual(
      expect.arrayContaining('gzip snappy lz4 zstd ssl sasl_plain sasl_scram sasl_oauthbearer sasl_gssapi'.split(' ')),
    )
    const built = 'require("./native/build/Release/packed_reader.node").nodeRdkafka'
    const beside = 'require("node-rdkafka/package.json").version'
    expect(await Container.execute(IMAGE, 'node', '-p', `${built} === ${beside}`)).toBe('true')
    const tools = 'for tool in g++ gcc cc make python3; do command -v $tool; done; id -u'
    expect(await Container.execute(IMAGE, 'sh', '-c', tools)).toBe('1000')
    const megabytes = Number((await Container.execute(IMAGE, 'du', '-sm', '/app')).split(/\s/)[0])
    console.info('the image:', { features, megabytesOfTheApplication: megabytes })
    expect(megabytes).toBeLessThan(220)
  })

  it('runs a topology on a read-only root, and drains on SIGTERM', async () => {
    const rig = await Rig.create({ kafka: kafka.brokers, postgres, source: 'quest-events' })
    await rig.produce(data)
    const http = `127.0.0.1:${await freePort()}`
    const worker = await Container.run(IMAGE, ['run', 'topologies/quest-minute.ts', '--processes', '2'], {
      MILLRACE_KAFKA: kafka.brokers,
      MILLRACE_WAREHOUSE: rig.database.url,
      MILLRACE_NAMESPACE: rig.namespace,
      MILLRACE_INSTANCE_ID: 'image',
      MILLRACE_HTTP: http,
      MILLRACE_DRAIN_TIMEOUT: '60 seconds',
    })
    const answers = async (path: string) => (await fetch(`http://${http}${path}`).catch(() => undefined))?.ok ?? false
    await worker.until('the worker is ready', 90_000, () => answers('/readyz'))
    expect(await answers('/healthz')).toBe(true)
    const healthcheck = (await imageConfig(IMAGE)).Healthcheck.Test.slice(1)
    const environment = ['/usr/bin/env', `MILLRACE_HTTP=${http}`]
    await Container.execute(IMAGE, ...environment, ...healthcheck)
    // What one process sends while it drains, another one may no longer flush: so not before all rows are there.
    await worker.until('all rows', 180_000, async () => (await rig.database.events()) === data.total)

    worker.kill('SIGTERM')
    expect(await Promise.race([worker.exited, sleep(60_000)])).toBe(0)
    await expect(Container.execute(IMAGE, ...environment, ...healthcheck)).rejects.toThrow('ended with 1')
    const expected = expectedCells(generated(data))
    expect(expected.size).toBeGreaterThanOrEqual(1_000)
    expect(compareCells(expected, await rig.database.cells())).toMatchObject(allEqual)
    expect(await rig.accounting()).toMatchObject({ read: data.total, aggregated: data.total, late: 0 })
  })
})
