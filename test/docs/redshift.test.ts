import { describe, expect, test } from 'vitest'
import { flagsOf } from './cli.js'
import { codeBlocks, tableUnder, textOf } from './markdown.js'

const PAGE = 'docs/redshift.md'

describe('docs/redshift.md', { timeout: 60_000 }, () => {
  test('names flags that there are, and all of Redshift', async () => {
    const flags = (await flagsOf('run')).map(({ flag }) => flag.split(' ')[0])
    const named = [...textOf(PAGE).matchAll(/(?<![\w-])--[a-z][a-z\d-]*/g)].map(([flag]) => flag)
    expect(named.filter(flag => !flags.includes(flag))).toEqual([])
    const listed = tableUnder(PAGE, '## Flags').map(([flag]) => flag)
    expect(listed).toEqual(expect.arrayContaining(flags.filter(flag => /^--(redshift|s3)-/.test(flag ?? ''))))
  })

  test('its policies are JSON that allows what the errors ask for', () => {
    const policies = codeBlocks().filter(({ page, language }) => page === PAGE && language === 'json')
    const actions = policies.flatMap(({ text }) =>
      (JSON.parse(text) as { Statement: { Action: string | string[] }[] }).Statement.flatMap(({ Action }) => Action),
    )
    expect(actions).toEqual([
      's3:PutObject',
      's3:DeleteObject',
      'redshift:GetClusterCredentialsWithIAM',
      'redshift-serverless:GetCredentials',
      's3:GetObject',
      's3:ListBucket',
      's3:GetBucketLocation',
    ])
    const asked = ['src/objects/s3/s3-advice.ts', 'src/warehouse/redshift/iam-login.ts'].map(textOf).join()
    const allowed = [...asked.matchAll(/'((?:s3|redshift|redshift-serverless):\w+)'/g)].map(([, action]) => action)
    expect(allowed.length).toBeGreaterThanOrEqual(4)
    expect(allowed.filter(action => !actions.includes(action ?? ''))).toEqual([])
  })
})
