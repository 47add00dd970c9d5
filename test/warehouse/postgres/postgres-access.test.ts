import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type PostgresOptions, postgresWarehouse } from '../../../src/warehouse/postgres/postgres-warehouse.js'
import { type Certificate, newAuthority, newServerCertificate } from '../../services/certificates.js'
import { type PostgresService, postgresAvailable, startPostgres } from '../../services/postgres.js'
import { questTable } from '../warehouse-contract.js'

const SECRET = 'S3cret_of-the:warehouse/?#@'

describe.skipIf(process.env.MILLRACE_TEST_SERVICES === '0' || postgresAvailable() !== undefined)('access', () => {
  let folder: string
  let authority: Certificate
  let other: Certificate
  let server: PostgresService

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-postgres-tls-'))
    authority = await newAuthority(folder, 'authority')
    other = await newAuthority(folder, 'other')
    server = await startPostgres({ tls: await newServerCertificate(folder, authority), password: SECRET })
  }, 60_000)

  afterAll(async () => {
    vi.unstubAllEnvs()
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** Connects and answers the error's message, or `in`. */
  const outcome = async (parameters: string, options: Partial<PostgresOptions> = { password: SECRET }) => {
    const warehouse = postgresWarehouse({ url: `${server.url}?${parameters}`, ...options })
    onTestFinished(() => warehouse.close())
    try {
      await warehouse.prepare(questTable('quests'))
      return 'in'
    } catch (thrown) {
      expect(inspect(thrown, { depth: 9, showHidden: true })).not.toContain(SECRET)
      return thrown instanceof Error ? thrown.message : String(thrown)
    }
  }
  const trusting = (mode = 'verify-full') => `sslmode=${mode}&sslrootcert=${authority.certificate}`

  it('lets in who knows the authority, the host name and the password', async () => {
    expect(await outcome(trusting())).toBe('in')
    expect(await outcome(trusting('require'))).toBe('in')
    expect(await outcome('sslmode=no-verify')).toBe('in')
    expect(await outcome(`${trusting()}&password=${encodeURIComponent(SECRET)}`, {})).toBe('in')
    const url = server.url.replace('postgres@', `postgres:${encodeURIComponent(SECRET)}@`)
    expect(await outcome('', { url: `${url}?${trusting()}` })).toBe('in')
  })

  it('says by which parameter an authority is named', async () => {
    expect(await outcome('sslmode=verify-full')).toMatch(/certificate.* \(name the file .* by sslrootcert/)
    const wrong = `sslmode=verify-full&sslrootcert=${other.certificate}`
    expect(await outcome(wrong)).toMatch(/certificate.* by sslrootcert/)
  })

  it('says that a certificate is for another host name', async () => {
    const url = server.url.replace('127.0.0.1', 'localhost')
    const named = { url: `${url}?${trusting()}`, password: SECRET }
    expect(await outcome('', named)).toMatch(/localhost.*use the host name in the certificate/s)
    const anyHost = { url: `${url}?uselibpqcompat=true&${trusting('verify-ca')}`, password: SECRET }
    expect(await outcome('', anyHost)).toBe('in')
  })

  it('says that the password is wrong or missing, and that TLS is', async () => {
    expect(await outcome(trusting(), { password: 'wrong' })).toMatch(/password authentication failed.*\(check user and/)
    expect(await outcome(trusting(), {})).toMatch(/asks for a password, and none is given/)
    expect(await outcome('sslmode=disable')).toMatch(/no pg_hba\.conf entry.*no encryption.*\(check user and password/)
  })

  it('falls back to PGPASSWORD where nothing else is given, and only there', async () => {
    vi.stubEnv('PGPASSWORD', SECRET)
    expect(await outcome(trusting(), {})).toBe('in')
    expect(await outcome(trusting(), { password: 'wrong' })).toMatch(/password authentication failed/)
    vi.unstubAllEnvs()
  })
})
