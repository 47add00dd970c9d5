import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { prometheusAvailable, promtool } from '../services/prometheus.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

describe.skipIf(prometheusAvailable() !== undefined)('alerts', () => {
  it('are rules that Prometheus takes', () => {
    const { status, output } = promtool(['check', 'rules', at('../../deploy/prometheus/rules.yaml')])
    expect({ status, output }).toMatchObject({ status: 0, output: expect.stringMatching(/SUCCESS: \d+ rules found/) })
  })

  it('fire when they should, and only then', () => {
    expect(promtool(['test', 'rules', at('./alerts.yaml')])).toMatchObject({ status: 0 })
  })
})
