import pg from 'pg'
import type { RedshiftFlags } from '../src/cli/warehouse-flags.js'
import { startPostgres } from '../test/services/postgres.js'
import { startRedshiftShim } from '../test/services/redshift/redshift.js'
import { startS3 } from '../test/services/s3.js'

/** A warehouse to be troubled. */
export interface Target {
  readonly name: string
  /** As `--warehouse` takes it. */
  readonly warehouse: string
  readonly flags: RedshiftFlags
  /** For the driver `pg`. */
  readonly url: string
  /** Something goes wrong with connections and transactions from now on. */
  disturb(): Promise<void>
  /** What went wrong so far, by name. */
  faults(): Readonly<Record<string, number>>
  /** Nothing goes wrong any more. */
  calm(): void
  close(): Promise<void>
}

/** PostgreSQL, whose sessions an administrator ends. */
export async function postgresTarget(random: () => number): Promise<Target> {
  const postgres = await startPostgres()
  const admin = new pg.Client({ connectionString: postgres.url })
  await admin.connect()
  let ended = 0
  return {
    name: 'PostgreSQL',
    warehouse: postgres.url,
    flags: {},
    url: postgres.url,
    async disturb() {
      const { rows } = await admin.query<{ readonly pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'millrace' AND state <> 'idle' ORDER BY pid",
      )
      const session = rows[Math.floor(random() * rows.length)]
      if (!session) return
      await admin.query('SELECT pg_terminate_backend($1)', [session.pid])
      ended++
    },
    faults: () => ({ endedSessions: ended }),
    calm: () => undefined,
    async close() {
      await admin.end()
      await postgres.stop()
    },
  }
}

/** The Redshift shim over S3's, with conflicts, COMMITs that are lost, and slow ones. */
export async function redshiftTarget(random: () => number): Promise<Target> {
  const postgres = await startPostgres()
  const s3 = await startS3({ buckets: ['chaos'] })
  const shim = await startRedshiftShim({ postgres: postgres.url, objectStore: s3.endpoint, random })
  const url = new URL(shim.url)
  // What S3 and COPY get in with; the stubs let everybody in.
  process.env.AWS_ACCESS_KEY_ID = 'chaos'
  process.env.AWS_SECRET_ACCESS_KEY = 'chaos'
  const always = { times: Number.POSITIVE_INFINITY }
  let disturbed = false
  return {
    name: 'Redshift (shim)',
    warehouse: `redshift://awsuser:chaos@127.0.0.1:${url.port}${url.pathname}`,
    flags: { redshiftS3: 's3://chaos/load', s3Endpoint: s3.endpoint, awsRegion: 'eu-central-1' },
    url: shim.url,
    async disturb() {
      if (disturbed) return
      disturbed = true
      shim.faults.inject({ kind: 'conflict', probability: 0.05, ...always })
      shim.faults.inject({
        kind: 'conflict',
        at: /^\s*(merge|copy|delete|insert|update)/i,
        probability: 0.02,
        ...always,
      })
      shim.faults.inject({ kind: 'commit-lost-after', probability: 0.03, ...always })
      shim.faults.inject({ kind: 'commit-lost-before', probability: 0.03, ...always })
      shim.faults.inject({ kind: 'slow', ms: 150, probability: 0.05, ...always })
      shim.faults.inject({ kind: 'slow', at: /^\s*copy/i, ms: 100, probability: 0.05, ...always })
    },
    faults: () => ({
      conflicts: shim.faults.done('conflict'),
      commitsLostAfter: shim.faults.done('commit-lost-after'),
      commitsLostBefore: shim.faults.done('commit-lost-before'),
      slow: shim.faults.done('slow'),
    }),
    calm: () => shim.faults.clear(),
    async close() {
      await shim.close()
      await s3.close()
      await postgres.stop()
    },
  }
}
