import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { redshiftAddress } from '../../../src/warehouse/redshift/redshift-connection.js'
import type { RedshiftOptions } from '../../../src/warehouse/redshift/redshift-options.js'

const objectStore = {
  name: 'none',
  url: (key: string) => key,
  put: async () => undefined,
  delete: async () => undefined,
  close: async () => undefined,
}
const addressOf = (url: string, options: Partial<RedshiftOptions> = {}) =>
  redshiftAddress({ url, objectStore, copyCredentials: { role: 'default' }, ...options })

describe('the address of Redshift', () => {
  it('is encrypted and checked unless it is on this machine or says otherwise', async () => {
    const config = (url: string) => addressOf(url).connection()
    expect(await config('redshift://me:S3cret%2F@wg.example/dev')).toMatchObject({
      host: 'wg.example',
      port: 5439,
      user: 'me',
      database: 'dev',
      ssl: true,
    })
    const ssl = async (url: string) => (await config(url)).ssl
    expect(await ssl('redshift://me@127.0.0.1:1234/dev')).toBe(false)
    expect(await ssl('redshift://me@127.0.0.1/dev?sslmode=require')).toBe(true)
    expect(await ssl('postgres://me@wg.example/dev?sslmode=no-verify')).toEqual({ rejectUnauthorized: false })
    expect(await ssl('redshift://me@wg.example/dev?sslmode=disable')).toBe(false)
    expect(() => addressOf('redshift://me@wg.example/dev?sslmode=maybe')).toThrow(/sslmode=maybe/)
  })

  it('asks for a login by IAM at each connection', async () => {
    let asked = 0
    const login = async () => ({ user: 'IAMR:loader', password: `p${++asked}` })
    const { connection } = addressOf('redshift://wg.example/dev', { login })
    const { user, password } = await connection()
    expect(user).toBe('IAMR:loader')
    expect(typeof password === 'function' && [await password(), await password()]).toEqual(['p2', 'p3'])
  })

  it('is named without secrets', () => {
    expect(addressOf('redshift://me:S3cret@wg.example/dev').name).toBe('Redshift at wg.example:5439/dev')
  })

  it('is refused without being shown: no URL, no user, two logins', () => {
    const login = async () => ({ user: 'u', password: 'p' })
    const refused = [
      () => addressOf('S3cret'),
      () => addressOf('mysql://me:S3cret@host/dev'),
      () => addressOf('redshift://me:12/S3cret@host/dev'),
      () => addressOf('redshift://me:S3cret@host'),
      () => addressOf('redshift://host/dev'),
      () => addressOf('redshift://me:S3cret@host/dev', { password: 'S3cret' }),
      () => addressOf('redshift://host/dev', { password: 'S3cret', login }),
    ]
    for (const refusal of refused) {
      let thrown: unknown
      try {
        refusal()
      } catch (error) {
        thrown = error
      }
      expect(thrown).toMatchObject({ code: 'INVALID_OPTION' })
      expect(inspect(thrown)).not.toContain('S3cret')
    }
  })
})
