import { gzipSync } from 'node:zlib'
import pg from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { type PostgresService, startPostgres } from '../../services/postgres.js'
import { type RedshiftShim, startRedshiftShim } from '../../services/redshift/redshift.js'
import { type S3Service, startS3 } from '../../services/s3.js'

const BUCKET = 'load'

/** A shim over PostgreSQL and S3 of its own, and clients that end with the test file. */
export class ShimBench {
  private postgres!: PostgresService
  s3!: S3Service
  shim!: RedshiftShim
  private readonly clients: pg.Client[] = []

  async start(): Promise<void> {
    this.postgres = await startPostgres()
    this.s3 = await startS3({ buckets: [BUCKET] })
    this.shim = await startRedshiftShim({ postgres: this.postgres.url, objectStore: this.s3.endpoint })
  }

  async stop(): Promise<void> {
    for (const client of this.clients) await client.end().catch(() => undefined)
    await this.shim?.close()
    await this.s3?.close()
    await this.postgres?.stop()
  }

  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.shim.url })
    client.on('error', () => undefined)
    await client.connect()
    this.clients.push(client)
    return client
  }

  /** Puts files and a manifest that names them; the answer is the manifest's address. */
  manifest(name: string, files: Record<string, string | undefined>, mandatory = true): string {
    const bucket = this.s3.bucket(BUCKET)
    const entries = Object.entries(files).map(([file, text]) => {
      if (text !== undefined) bucket.set(`${name}/${file}`, gzipSync(text))
      return { url: `s3://${BUCKET}/${name}/${file}`, mandatory }
    })
    bucket.set(`${name}/manifest`, Buffer.from(JSON.stringify({ entries })))
    return `s3://${BUCKET}/${name}/manifest`
  }
}

/** A bench for the tests of one file. */
export function shimBench(): ShimBench {
  const bench = new ShimBench()
  beforeAll(() => bench.start())
  afterAll(() => bench.stop())
  return bench
}

/** The error that a query answers. @throws Error when it answers none. */
export async function errorOf(query: Promise<unknown>): Promise<pg.DatabaseError> {
  try {
    await query
  } catch (thrown) {
    return thrown as pg.DatabaseError
  }
  throw new Error('the statement was not refused')
}
