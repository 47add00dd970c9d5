import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { flagsOf } from '../docs/cli.js'
import { ROOT, textOf } from '../docs/markdown.js'
import { composeProblems, lintToolsAvailable, yamlDocuments } from './lint-tools.js'
import { missing } from './missing.js'
import { isSecretVariable, knownFlags } from './variables.js'

interface Service {
  readonly image: string
  readonly build?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string | number>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: unknown
  readonly secrets?: readonly string[]
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly stop_grace_period?: string
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
  readonly volumes: Readonly<Record<string, unknown>>
}

describe.skipIf(missing('compose.yaml', lintToolsAvailable()))('compose.yaml', { timeout: 120_000 }, () => {
  let compose: Compose
  let services: [string, Service][]
  beforeAll(async () => {
    compose = (await yamlDocuments<Compose>(join(ROOT, 'compose.yaml')))[0] as Compose
    services = Object.entries(compose.services)
  }, 300_000)

  it('is as the specification has it, which a wrong one is not', async () => {
    expect(await composeProblems(compose)).toEqual([])
    const wrong = { ...compose, services: { ...compose.services, more: { image: 'x', port: ['80'] } } }
    expect(await composeProblems(wrong)).toHaveLength(1)
  })

  it('pins every image', () => {
    for (const [name, { image }] of services) expect(`${name} ${image}`).toMatch(/:v?\d+\.\d+(\.\d+)?$/)
  })

  it('waits for what is healthy only where health is asked for', () => {
    for (const { depends_on = {} } of Object.values(compose.services)) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        // The health check of the worker is in its image.
        const service = compose.services[other] as Service
        const known = service.healthcheck !== undefined || service.build !== undefined
        if (condition === 'service_healthy') expect([other, known]).toEqual([other, true])
      }
    }
  })

  it('mounts what is there, and publishes to this machine only', () => {
    for (const { volumes = [], secrets = [], ports = [] } of Object.values(compose.services)) {
      for (const volume of volumes) {
        const source = volume.split(':')[0] as string
        const known = source.startsWith('.') ? existsSync(join(ROOT, source)) : source in compose.volumes
        expect([source, known]).toEqual([source, true])
      }
      for (const secret of secrets) expect(compose.secrets).toHaveProperty(secret)
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
    }
    for (const { file } of Object.values(compose.secrets)) {
      expect(existsSync(join(ROOT, `${file}.example`))).toBe(true)
      expect(textOf('.gitignore').split('\n')).toContain(file.replace('./', '/'))
    }
  })

  it('uses flags and variables that the commands have', async () => {
    const { variables } = await knownFlags()
    const ours = services.filter(([, { build }]) => build !== undefined)
    expect(ours.map(([name]) => name)).toEqual(['produce', 'worker'])
    for (const [, { command = [], environment = {} }] of ours) {
      const flags = (await flagsOf(command[0] as string)).map(({ flag }) => flag.split(' ')[0])
      expect(flags).toEqual(expect.arrayContaining(command.filter(word => word.startsWith('--'))))
      for (const name of Object.keys(environment)) {
        expect([name, variables.has(name) || isSecretVariable(name)]).toEqual([name, true])
      }
    }
    const drain = (await flagsOf('run')).find(({ flag }) => flag.startsWith('--drain-timeout'))
    expect(Number.parseInt(compose.services.worker?.stop_grace_period ?? '', 10)).toBeGreaterThan(
      Number.parseInt(drain?.default ?? '', 10),
    )
  })
})
