import { fileURLToPath } from 'node:url'
import { describe, expect, inject, it } from 'vitest'
import { Rig } from './rig.js'

const MISSING_SOURCES = fileURLToPath(new URL('./topologies/missing-sources.ts', import.meta.url))
const kafka = inject('kafka') ?? ''

describe.skipIf(kafka === '')('a worker that cannot start', () => {
  it('names all source topics that are missing, in one error', async () => {
    const rig = await Rig.create({ kafka, file: MISSING_SOURCES })
    const worker = rig.worker()
    expect(await worker.exited).toMatchObject({ code: 1 })
    const errors = worker.output.split('\n').filter(line => line.includes('MISSING_TOPIC'))
    console.info('missing sources:', errors)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain('nobody-made-quests')
    expect(errors[0]).toContain('nobody-made-users')
  })

  it.each([
    [
      'a wrong password',
      { 'security.protocol': 'sasl_plaintext', 'sasl.mechanism': 'PLAIN', 'sasl.username': 'alice' },
    ],
    ['a setting that librdkafka refuses', { 'sasl.mechanism': 'PLAIN', 'fetch.wait.max.ms': 'soon' }],
  ])(
    'keeps secrets of the Kafka settings to itself: %s',
    async (_, settings) => {
      const rig = await Rig.create({ kafka, env: { OUTPUT: 'unused' } })
      const secrets = { 'sasl.password': 'Pa55-w0rd-of-alice', 'ssl.key.password': 'Pa55-w0rd-of-a-key' }
      const lines = Object.entries({ ...settings, ...secrets }).map(([key, value]) => `${key}=${value}`)
      const worker = rig.worker({ 'log-level': 'debug' }, { MILLRACE_KAFKA_CONFIG: lines.join('\n') })
      expect(await worker.exited).toMatchObject({ code: 1 })
      console.info('with secrets:', worker.output.trim().split('\n').at(-1))
      expect(worker.output.length).toBeGreaterThan(50)
      for (const secret of Object.values(secrets)) expect(worker.output).not.toContain(secret)
    },
    60_000,
  )
})
