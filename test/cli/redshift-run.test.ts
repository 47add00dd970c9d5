import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { until } from '../e2e/until.js'
import { postgresAvailable } from '../services/postgres.js'
import { AWS_KEYS, startRedshift } from '../warehouse/redshift/redshift-service.js'
import { Command, millrace } from './command.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const ROLE = 'arn:aws:iam::123456789012:role/redshift-copy'

/** A quest event as a line of JSON. */
function line(index: number, questType: string): string {
  return JSON.stringify({
    eventId: `e${index}`,
    userId: `u${index}`,
    questId: 'q',
    questType,
    eventType: 'STARTED',
    region: 'eu',
    rewardGold: 1,
    durationMs: 1,
    occurredAt: Date.now() - 600_000,
  })
}

describe.skipIf(postgresAvailable() !== undefined)('millrace run --warehouse redshift://', { timeout: 240_000 }, () => {
  it('loads rows through S3, and sets a row aside that Redshift cannot hold', async () => {
    const state = mkdtempSync(join(tmpdir(), 'millrace-redshift-'))
    onTestFinished(() => rmSync(state, { recursive: true, force: true }))
    for (const [name, value] of Object.entries(AWS_KEYS)) vi.stubEnv(name, value)
    onTestFinished(() => void vi.unstubAllEnvs())
    const service = await startRedshift()
    onTestFinished(() => service.stop())

    // So many kinds that their rows go by COPY, and one that is longer than a VARCHAR(256).
    const kinds = Array.from({ length: 400 }, (_, i) => `kind-${i}, "quoted"\\`)
    const file = join(state, 'events.jsonl')
    writeFileSync(file, [...kinds, 'é'.repeat(129)].map((kind, i) => line(i, kind)).join('\n'))
    const flags = ['--state', join(state, 'state'), '--schemas', at('../../schemas')]
    expect(await millrace(['load', 'quest-events', file, '--partitions', '1', ...flags])).toMatchObject({ code: 0 })

    const address = service.shim.url.replace('postgres:', 'redshift:')
    const topology = at('../e2e/topologies/quest-minute.ts')
    const redshift = [
      '--redshift-s3',
      's3://load/rows',
      '--redshift-copy-role',
      ROLE,
      '--s3-endpoint',
      service.s3.endpoint,
    ]
    const command = new Command(
      [
        'run',
        topology,
        ...flags,
        '--http',
        '127.0.0.1:0',
        '--status-interval',
        '200ms',
        '--warehouse',
        address,
        ...redshift,
      ],
      { env: { MILLRACE_WAREHOUSE_PASSWORD: 'secret' } },
    )
    onTestFinished(async () => {
      command.kill('SIGKILL')
      await command.ended
    })
    await command.said(/Topology \\"quest-minute\\" runs/)
    const client = new pg.Client({ connectionString: service.shim.url })
    await client.connect()
    onTestFinished(() => client.end())
    const kept = await until('the rows', 120_000, async () => {
      const { rows: tables } = await client.query(`SELECT 1 FROM pg_class WHERE relname = 'quest_minute'`)
      if (tables.length === 0) return false
      const { rows } = await client.query<{ quest_type: string }>('SELECT quest_type FROM quest_minute')
      return rows.length >= kinds.length && rows.map(row => row.quest_type).sort()
    })
    command.kill('SIGTERM')
    const { code, stderr } = await command.ended
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(kept).toEqual([...kinds].sort())
    expect(service.shim.log.filter(({ sql }) => sql.includes(`IAM_ROLE '${ROLE}'`)).length).toBeGreaterThan(0)
    expect(service.s3.bucket('load').size).toBe(0)
    expect(stderr).toMatch(/Redshift at 127\.0\.0\.1/)
    expect(stderr).not.toMatch(/secret/)
  })
})
