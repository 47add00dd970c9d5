import { Command } from 'commander'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type WarehouseFlags, withWarehouseFlags } from '../../src/cli/warehouse-flags.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('withWarehouseFlags', () => {
  const parsed = (...args: string[]): WarehouseFlags =>
    withWarehouseFlags(new Command('run').exitOverride().configureOutput({ writeErr: () => undefined }))
      .parse(args, { from: 'user' })
      .opts()

  it('reads what IAM logs in to', () => {
    expect(parsed('--redshift-iam', 'cluster:games-1').redshiftIam).toEqual({ cluster: 'games-1' })
    expect(parsed('--redshift-iam', 'workgroup:games').redshiftIam).toEqual({ workgroup: 'games' })
    expect(() => parsed('--redshift-iam', 'games')).toThrow(/cluster:NAME/)
    expect(() => parsed('--redshift-iam', 'cluster:')).toThrow(/workgroup:NAME/)
  })

  it('takes every flag from its variable', () => {
    vi.stubEnv('MILLRACE_REDSHIFT_S3', 's3://b/p')
    vi.stubEnv('MILLRACE_REDSHIFT_IAM', 'cluster:c')
    vi.stubEnv('MILLRACE_REDSHIFT_COPY_ROLE', 'default')
    vi.stubEnv('MILLRACE_S3_ENDPOINT', 'http://minio:9000')
    vi.stubEnv('MILLRACE_WAREHOUSE_SESSIONS', '5')
    expect(parsed()).toEqual({
      warehouseSessions: 5,
      redshiftS3: 's3://b/p',
      redshiftIam: { cluster: 'c' },
      redshiftCopyRole: 'default',
      s3Endpoint: 'http://minio:9000',
    })
  })
})
