import { describe, expect, it } from 'vitest'
import { postgresWarehouse } from '../../../src/warehouse/postgres/postgres-warehouse.js'
import { assertReadableFiles } from '../../../src/warehouse/postgres/tls-files.js'

describe('assertReadableFiles', () => {
  it.each(['sslrootcert', 'sslcert', 'sslkey'])(
    'names a file of %s that cannot be read, before anything is connected',
    parameter => {
      const url = `postgres://host/db?sslmode=verify-full&${parameter}=/nowhere/file.pem`
      const refusal = new RegExp(`names a file by ${parameter} that cannot be read: ENOENT.*/nowhere/file\\.pem`)
      expect(() => assertReadableFiles(new URL(url))).toThrow(refusal)
      expect(() => postgresWarehouse({ url })).toThrow(refusal)
    },
  )

  it('says nothing of files that are there, and of URLs without any', () => {
    assertReadableFiles(new URL(`postgres://host/db?sslrootcert=${import.meta.filename}`))
    assertReadableFiles(new URL('postgres://host/db?sslmode=verify-full'))
  })
})
