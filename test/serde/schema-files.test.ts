import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readSchemaDirectory, readSchemaFile } from '../../src/serde/schema-files.js'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-schemas-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true })
})

describe('schema files', () => {
  it('are read by name, older versions marked', () => {
    for (const name of ['b', 'a.v2', 'a']) writeFileSync(join(directory, `${name}.avsc`), '"string"')
    writeFileSync(join(directory, 'a.ts'), '')
    const files = readSchemaDirectory(directory)
    expect(files.map(file => [file.name, file.old])).toEqual([
      ['a', false],
      ['a.v2', true],
      ['b', false],
    ])
    expect(files[0]).toMatchObject({ path: join(directory, 'a.avsc'), schema: 'string' })
    expect(readSchemaDirectory(join(directory, 'none'))).toEqual([])
  })

  it.each([
    ['no JSON', '{'],
    ['no schema', '"strnig"'],
    ['null', 'null'],
    ['a number', '5'],
  ])('that hold %s are refused by name', (_, text) => {
    const path = join(directory, 'x.avsc')
    writeFileSync(path, text)
    expect(() => readSchemaFile(path)).toThrow(path)
    expect(() => readSchemaFile(path)).toThrow(expect.objectContaining({ code: 'INVALID_SCHEMA' }))
  })
})
