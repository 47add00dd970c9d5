import { describe, expect, it } from 'vitest'
import { copyStatement, manifestOf } from '../../../src/warehouse/redshift/copy-statement.js'

const source = { manifest: "s3://load/it's/manifest.json", nullAs: 'null' }
const END = `FORMAT AS CSV GZIP MANIFEST NULL AS 'null' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF`

describe('COPY', () => {
  it('reads by a role, from another region where one is named', async () => {
    const role = 'arn:aws:iam::123456789012:role/copy'
    expect(await copyStatement('stage', source, { role }, 'eu-central-1')).toBe(
      `COPY stage FROM 's3://load/it''s/manifest.json' IAM_ROLE '${role}' REGION 'eu-central-1' ${END}`,
    )
    expect(await copyStatement('stage', source, { role: 'default' }, undefined)).toMatch(
      /json' IAM_ROLE default FORMAT/,
    )
  })

  it('reads by keys, asked for each time', async () => {
    let asked = 0
    const keys = async () => ({ accessKeyId: `AK${++asked}`, secretAccessKey: 's/e+c', sessionToken: 'tok=' })
    await copyStatement('stage', source, keys, undefined)
    expect(await copyStatement('stage', source, keys, undefined)).toBe(
      `COPY stage FROM 's3://load/it''s/manifest.json' ACCESS_KEY_ID 'AK2' SECRET_ACCESS_KEY 's/e+c' SESSION_TOKEN 'tok=' ${END}`,
    )
    const lasting = async () => ({ accessKeyId: 'AK', secretAccessKey: 'secret' })
    expect(await copyStatement('stage', source, lasting, undefined)).not.toContain('SESSION_TOKEN')
  })

  it('fails without any part of its manifest', () => {
    expect(JSON.parse(manifestOf(['s3://a/1', 's3://a/2']).toString())).toEqual({
      entries: [
        { url: 's3://a/1', mandatory: true },
        { url: 's3://a/2', mandatory: true },
      ],
    })
  })
})
