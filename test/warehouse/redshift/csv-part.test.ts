import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Row } from '../../../src/ports/warehouse.js'
import { csvParts } from '../../../src/warehouse/redshift/csv-part.js'

async function texts(rows: readonly Row[]) {
  const { nullAs, parts } = csvParts(rows)
  const read: string[] = []
  for await (const part of parts) read.push(gunzipSync(part).toString())
  return { nullAs, parts: read }
}

describe('parts of a load', () => {
  it('are compressed CSV with every value in quotes', async () => {
    const rows = [
      ['a"b,\n', 1, null],
      ['', true, Buffer.from([0, 255])],
      ['x', -0, new Date('2026-01-02T03:04:05.006Z')],
    ]
    expect(await texts(rows)).toEqual({
      nullAs: 'null',
      parts: ['"a""b,\n","1",null\n"","true","00ff"\n"x","-0","2026-01-02 03:04:05.006"\n'],
    })
  })

  it('say NULL by a text that no value is equal to', async () => {
    expect(
      await texts([
        ['null', null],
        ['null-null', 'x'],
      ]),
    ).toEqual({
      nullAs: 'null-null-null',
      parts: ['"null",null-null-null\n"null-null","x"\n'],
    })
  })

  it('are cut where they get large, and none without rows', async () => {
    const { parts } = await texts(Array.from({ length: 5 }, (_, i) => [i, 'x'.repeat(3 * 1024 * 1024)]))
    expect(parts.map(part => part.split('\n').length - 1)).toEqual([3, 2])
    expect((await texts([])).parts).toEqual([])
  })
})
