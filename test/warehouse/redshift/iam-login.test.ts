import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../../src/runtime/manual-clock.js'
import { type IamTarget, iamLogin } from '../../../src/warehouse/redshift/iam-login.js'
import { type AwsApiService, startAwsApi } from '../../services/aws-api.js'

const START = Date.UTC(2026, 0, 1)
const MINUTE = 60_000

let api: AwsApiService
let clock: ManualClock

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
  api = await startAwsApi(START + 60 * MINUTE)
  clock = new ManualClock(START)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await api.close()
})

const source = (target: IamTarget, region: string | undefined = 'eu-central-1', endpoint = api.endpoint) =>
  iamLogin({ target, database: 'analytics', endpoint, clock, ...(region !== '' && { region }) })

describe.each([
  {
    target: { cluster: 'games' },
    user: 'IAMR:millrace',
    sent: { ClusterIdentifier: 'games', DbName: 'analytics', DurationSeconds: '3600' },
    missing: 'ClusterNotFound',
    permission: /Allow redshift:GetClusterCredentialsWithIAM on the cluster "games"/,
  },
  {
    target: { workgroup: 'games' },
    user: 'IAM:millrace',
    sent: { workgroupName: 'games', dbName: 'analytics', durationSeconds: 3_600 },
    missing: 'ResourceNotFoundException',
    permission: /Allow redshift-serverless:GetCredentials on the workgroup "games"/,
  },
])('login by IAM to $target', ({ target, user, sent, missing, permission }) => {
  it('asks for user and password of an hour', async () => {
    expect(await source(target)()).toEqual({ user, password: 'password-1' })
    expect(api.issued).toMatchObject([{ parameters: sent, region: 'eu-central-1' }])
  })

  it('keeps them until 5 minutes before they expire, and asks once for all who wait', async () => {
    const login = source(target)
    const first = await Promise.all([login(), login(), login()])
    expect(new Set(first.map(({ password }) => password))).toEqual(new Set(['password-1']))
    clock.advance(55 * MINUTE - 1)
    expect((await login()).password).toBe('password-1')
    clock.advance(1)
    api.expiresAt = START + 120 * MINUTE
    expect((await login()).password).toBe('password-2')
    expect(api.issued.length).toBe(2)
  })

  it('goes on with a valid one where the service refuses, and fails with an expired one', async () => {
    const login = source(target)
    await login()
    clock.advance(57 * MINUTE)
    const denied = { status: 403, code: 'AccessDeniedException', message: 'Not for you' }
    api.faults.push(denied)
    expect((await login()).password).toBe('password-1')
    expect(api.faults).toEqual([])
    clock.advance(3 * MINUTE)
    api.faults.push(denied)
    await expect(login()).rejects.toMatchObject({ code: 'WAREHOUSE', message: expect.stringMatching(permission) })
    expect((await login()).password).toBe('password-2')
  })

  it('says what to check', async () => {
    api.faults.push({ status: 404, code: missing, message: 'None of that name.' })
    await expect(source(target)()).rejects.toThrow(/games.*None of that name\. Check its name and the region/)
    vi.stubEnv('AWS_REGION', undefined)
    vi.stubEnv('AWS_DEFAULT_REGION', undefined)
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent')
    await expect(source(target, '')()).rejects.toThrow(/Region is missing\. Set --aws-region or AWS_REGION/)
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1')
    const nobody = source(target, 'eu-central-1', 'http://127.0.0.1:9')
    await expect(nobody()).rejects.toThrow(/ECONNREFUSED.*Check the network/)
  })
})
