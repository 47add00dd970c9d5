import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openWarehouse } from '../../src/cli/adapters.js'

const ADDRESS = 'redshift://millrace@games.abc.eu-central-1.redshift.amazonaws.com:5439/analytics'
const S3 = { redshiftS3: 's3://millrace-load/rows' }

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('--warehouse redshift://', () => {
  it.each([
    {
      given: 'a password in a variable',
      variables: { MILLRACE_WAREHOUSE_PASSWORD: 'secret' },
      address: ADDRESS,
      flags: {},
    },
    { given: 'a password in the address', variables: {}, address: ADDRESS.replace('@', ':secret@'), flags: {} },
    {
      given: 'IAM',
      variables: {},
      address: ADDRESS.replace('millrace@', ''),
      flags: { redshiftIam: { cluster: 'games' }, redshiftCopyRole: 'default', awsRegion: 'eu-central-1' },
    },
  ])('opens with $given, and names no secret', async ({ variables, address, flags }) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
    const warehouse = openWarehouse(address, { ...S3, ...flags })
    expect(warehouse.name).toMatch(/Redshift.*games\.abc.*analytics/)
    expect(warehouse.name).not.toMatch(/secret/)
    await warehouse.close()
  })

  it('takes the password from a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-redshift-'))
    writeFileSync(join(folder, 'password'), 'secret\n')
    vi.stubEnv('MILLRACE_WAREHOUSE_PASSWORD_FILE', join(folder, 'password'))
    await openWarehouse(ADDRESS, S3).close()
    rmSync(folder, { recursive: true })
  })

  it('says all that is missing at once', () => {
    expect(() => openWarehouse(ADDRESS)).toThrow(
      /--redshift-s3 s3:\/\/bucket\/prefix is missing.*MILLRACE_WAREHOUSE_PASSWORD.*--redshift-iam.*docs\/redshift\.md/,
    )
    expect(() => openWarehouse('redshift://user:hunter2@host:5439', S3)).toThrow(
      /redshift:\/\/user@host:5439\/database/,
    )
    expect(() => openWarehouse('redshift://user:hunter2@host:5439', S3)).not.toThrow(/hunter2/)
  })

  it('refuses two logins at once, wrong places and wrong roles', () => {
    const iam = { ...S3, redshiftIam: { workgroup: 'games' } }
    expect(() => openWarehouse(ADDRESS.replace('@', ':secret@'), iam)).toThrow(/both given/)
    expect(() => openWarehouse(ADDRESS, iam)).toThrow(/leave it out of the address/)
    vi.stubEnv('MILLRACE_WAREHOUSE_PASSWORD', 'secret')
    expect(() => openWarehouse(ADDRESS, { redshiftS3: 'millrace-load' })).toThrow(/s3:\/\/bucket\/prefix/)
    expect(() => openWarehouse(ADDRESS, { ...S3, redshiftCopyRole: 'copy' })).toThrow(/arn:aws:iam/)
    expect(() => openWarehouse(ADDRESS, { ...S3, s3Endpoint: 'minio:9000' })).toThrow(/https:\/\/host:port/)
  })
})
