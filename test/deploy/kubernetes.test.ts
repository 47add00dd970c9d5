import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { ROOT, textOf } from '../docs/markdown.js'
import { kubernetesProblems, lintToolsAvailable, yamlDocuments } from './lint-tools.js'
import { missing } from './missing.js'
import { isSecretVariable, knownFlags } from './variables.js'

const FOLDER = join(ROOT, 'deploy/kubernetes')

interface KubernetesObject {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> }
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}

/** What the tests read of the StatefulSet. */
interface StatefulSet extends KubernetesObject {
  readonly spec: {
    readonly serviceName: string
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> }
      readonly spec: {
        readonly terminationGracePeriodSeconds: number
        readonly securityContext: Readonly<Record<string, unknown>>
        readonly volumes: readonly { readonly name: string }[]
        readonly containers: readonly {
          readonly image: string
          readonly args: readonly string[]
          readonly env: readonly { readonly name: string }[]
          readonly envFrom: readonly Readonly<Record<string, { readonly name: string }>>[]
          readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
          readonly startupProbe: Probe
          readonly livenessProbe: Probe
          readonly readinessProbe: Probe
          readonly securityContext: Readonly<Record<string, unknown>>
          readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
        }[]
      }
    }
    readonly volumeClaimTemplates: readonly { readonly metadata: { readonly name: string } }[]
  }
}

describe.skipIf(missing('deploy/kubernetes', lintToolsAvailable()))('deploy/kubernetes', { timeout: 120_000 }, () => {
  let objects: KubernetesObject[]
  let set: StatefulSet
  const of = (kind: string) => objects.filter(one => one.kind === kind)
  beforeAll(async () => {
    const files = readdirSync(FOLDER).filter(name => name.endsWith('.yaml'))
    objects = (await Promise.all(files.map(file => yamlDocuments<KubernetesObject>(join(FOLDER, file))))).flat()
    set = of('StatefulSet')[0] as StatefulSet
  }, 300_000)

  it('is as the schemas of Kubernetes have it, which a wrong object is not', async () => {
    // The schema of a PodMonitor belongs to the Prometheus operator.
    const known = objects.filter(({ kind }) => kind !== 'PodMonitor')
    expect(known.map(({ kind }) => kind).sort()).toEqual(
      ['ConfigMap', 'NetworkPolicy', 'PodDisruptionBudget', 'Secret', 'Service', 'StatefulSet'].sort(),
    )
    expect(await kubernetesProblems(known)).toEqual([])
    expect(await kubernetesProblems([{ ...set, spec: { ...set.spec, replica: 2 } }])).toHaveLength(1)
  })

  it('is held together by one name and the same labels', () => {
    const labels = set.spec.template.metadata.labels
    for (const { metadata } of objects) {
      expect(metadata.name).toBe(set.spec.serviceName)
      expect(metadata.labels).toEqual(labels)
    }
    expect(set.spec.selector.matchLabels).toEqual(labels)
    const texts = objects.filter(({ kind }) => kind !== 'StatefulSet').map(one => JSON.stringify(one))
    for (const text of texts.filter(one => one.includes('"selector"'))) expect(text).toContain(JSON.stringify(labels))
  })

  it('sets variables that a worker has', async () => {
    const { variables } = await knownFlags()
    const plain = Object.keys(of('ConfigMap')[0]?.data ?? {})
    const own = set.spec.template.spec.containers.flatMap(({ env }) => env.map(({ name }) => name))
    expect([...plain, ...own].filter(name => !variables.has(name))).toEqual([])
    const secrets = Object.entries(of('Secret')[0]?.stringData ?? {})
    expect(secrets.length).toBeGreaterThan(0)
    for (const [name, value] of secrets) expect([isSecretVariable(name), value]).toEqual([true, 'change-me'])
  })

  it('runs as the image wants it: nobody, read-only but for its volumes, probed where it answers', () => {
    const { spec } = set.spec.template
    const [container] = spec.containers
    const dockerfile = textOf('Dockerfile')
    const user = Number(/^USER (\d+)/m.exec(dockerfile)?.[1])
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: user, fsGroup: user })
    expect(container?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    const mounts = container?.volumeMounts.map(({ mountPath }) => mountPath)
    expect(mounts).toEqual([/^VOLUME (\S+)/m.exec(dockerfile)?.[1], '/tmp'])
    const volumes = [
      ...spec.volumes.map(({ name }) => name),
      ...set.spec.volumeClaimTemplates.map(c => c.metadata.name),
    ]
    expect(container?.volumeMounts.map(({ name }) => name).sort()).toEqual(volumes.sort())
    expect(container?.ports).toEqual([{ name: 'http', containerPort: Number(/^EXPOSE (\d+)/m.exec(dockerfile)?.[1]) }])
    expect(container?.startupProbe.httpGet).toEqual({ path: '/healthz', port: 'http' })
    expect(container?.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'http' })
    expect(container?.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' })
  })

  it('waits longer than the worker takes to drain', () => {
    const drain = /^(\d+) seconds$/.exec(of('ConfigMap')[0]?.data?.MILLRACE_DRAIN_TIMEOUT ?? '')?.[1]
    expect(set.spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(Number(drain))
  })
})
