import { s3ObjectStore } from '../../../src/objects/s3/s3-object-store.js'
import type { ObjectStore } from '../../../src/ports/object-store.js'
import type { Warehouse } from '../../../src/ports/warehouse.js'
import type { RedshiftOptions } from '../../../src/warehouse/redshift/redshift-options.js'
import { redshiftWarehouse } from '../../../src/warehouse/redshift/redshift-warehouse.js'
import { type PostgresService, startPostgres } from '../../services/postgres.js'
import { type RedshiftShim, startRedshiftShim } from '../../services/redshift/redshift.js'
import { type S3Service, startS3 } from '../../services/s3.js'

/** Redshift for tests, with the object store that it loads from. */
export interface RedshiftService {
  readonly shim: RedshiftShim
  readonly s3: S3Service
  readonly postgres: PostgresService
  readonly objectStore: ObjectStore
  connect(options?: Partial<RedshiftOptions>): Warehouse
  stop(): Promise<void>
}

/** What the SDK signs requests with; the stub takes any. */
export const AWS_KEYS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'example', AWS_REGION: 'us-east-1' }

/** Starts PostgreSQL, S3 and the shim; the caller has {@link AWS_KEYS} in its environment. */
export async function startRedshift(): Promise<RedshiftService> {
  const postgres = await startPostgres()
  const s3 = await startS3({ buckets: ['load'] })
  const shim = await startRedshiftShim({ postgres: postgres.url, objectStore: s3.endpoint })
  const objectStore = s3ObjectStore({ url: 's3://load/flushes', endpoint: s3.endpoint })
  const opened: Warehouse[] = []
  return {
    shim,
    s3,
    postgres,
    objectStore,
    connect(options = {}) {
      const role = 'arn:aws:iam::123456789012:role/millrace-copy'
      const warehouse = redshiftWarehouse({
        url: shim.url.replace('postgres:', 'redshift:'),
        objectStore,
        copyCredentials: { role },
        ...options,
      })
      opened.push(warehouse)
      return warehouse
    },
    async stop() {
      for (const warehouse of opened) await warehouse.close()
      await objectStore.close()
      await shim.close()
      await s3.close()
      await postgres.stop()
    },
  }
}
