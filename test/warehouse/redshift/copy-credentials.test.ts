import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { copyByKeys, copyByRole } from '../../../src/warehouse/redshift/copy-credentials.js'
import type { CopyCredentials, CopyKeys } from '../../../src/warehouse/redshift/redshift-options.js'

const ROLE = 'arn:aws:iam::123456789012:role/load/millrace-copy'

afterEach(() => {
  vi.unstubAllEnvs()
})

function keysOf(credentials: CopyCredentials): Promise<CopyKeys> {
  if (typeof credentials !== 'function') throw new Error('A role has no keys.')
  return credentials()
}

describe('copyByRole', () => {
  it.each([ROLE, 'arn:aws-us-gov:iam::123456789012:role/r', `${ROLE},arn:aws:iam::210987654321:role/other`, 'default'])(
    '%s',
    role => expect(copyByRole(role)).toEqual({ role }),
  )

  it.each([
    '',
    'millrace-copy',
    "arn:aws:iam::123456789012:role/x' FORMAT",
    'arn:aws:iam::123456789012:user/x',
    `${ROLE},`,
  ])('refuses %j', role => {
    expect(() => copyByRole(role)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })
})

describe('copyByKeys', () => {
  it('takes keys of the default chain, with a session token where there is one', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIA1')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'sec/ret+1')
    const keys = { accessKeyId: 'AKIA1', secretAccessKey: 'sec/ret+1' }
    expect(await keysOf(copyByKeys())).toEqual(keys)
    vi.stubEnv('AWS_SESSION_TOKEN', 'tok/en==')
    expect(await keysOf(copyByKeys())).toEqual({ ...keys, sessionToken: 'tok/en==' })
  })

  it('renews temporary ones before they expire', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-keys-'))
    try {
      // A process that hands out keys is a provider of the default chain; its first ones are about to expire.
      const script = join(folder, 'keys.mjs')
      await writeFile(
        script,
        `import { appendFileSync, readFileSync } from 'node:fs'
        appendFileSync('${folder}/calls', 'x')
        const n = readFileSync('${folder}/calls', 'utf8').length
        const Expiration = new Date(Date.now() + (n === 1 ? 60_000 : 3_600_000)).toISOString()
        console.log(JSON.stringify({ Version: 1, AccessKeyId: 'AKIA' + n, SecretAccessKey: 's', SessionToken: 't', Expiration }))`,
      )
      const config = join(folder, 'config')
      await writeFile(config, `[default]\ncredential_process = ${process.execPath} ${script}\n`)
      vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
      vi.stubEnv('AWS_CONFIG_FILE', config)
      vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'))
      const credentials = copyByKeys({ region: 'eu-central-1' })
      const first = await keysOf(credentials)
      expect(first).toEqual({
        accessKeyId: expect.stringMatching(/^AKIA[23]$/),
        secretAccessKey: 's',
        sessionToken: 't',
      })
      const calls = () => readFile(join(folder, 'calls'), 'utf8')
      const before = await calls()
      await keysOf(credentials)
      expect(await calls()).toBe(before)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('says what to do where there are none', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent')
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent')
    await expect(keysOf(copyByKeys({ region: 'eu-central-1' }))).rejects.toMatchObject({
      code: 'WAREHOUSE',
      message: expect.stringMatching(/COPY has no credentials for S3.*Give credentials/),
    })
  })
})
