import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import ts from 'typescript'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codegenCommand } from '../../src/cli/codegen.js'
import { typescriptLiteral } from '../../src/cli/typescript-literal.js'
import { typescriptOfSchema } from '../../src/cli/typescript-of-schema.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

const ODD = {
  type: 'record',
  name: 'class',
  namespace: 'a.b',
  doc: 'First line.\n  Second */ line.',
  schemaId: 12,
  fields: [
    { name: 'nothing', type: 'null' },
    { name: 'default', type: ['null', 'string'], default: null, doc: 'It\'s "quoted".' },
    {
      name: 'raw',
      type: 'bytes',
      default: '\u00ff\\',
      doc: `${'A long sentence about the field. '.repeat(5)}End's here.`,
    },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4 } },
    { name: 'hashes', type: { type: 'array', items: 'Hash' } },
    { name: 'either', type: ['int', 'long', 'null', 'Hash'] },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['a', 'class'] } },
    {
      name: 'kind2',
      type: { type: 'enum', name: 'x.Kind', symbols: Array.from({ length: 20 }, (_, i) => `SYMBOL_${i}`) },
    },
    { name: 'kinds', type: { type: 'array', items: ['null', 'Kind', 'x.Kind'] } },
    { name: 'matrix', type: { type: 'array', items: { type: 'array', items: 'double' } }, default: [[1, 2], [3]] },
    { name: 'map', type: { type: 'map', values: ['null', { type: 'map', values: 'long' }] }, default: {} },
    {
      name: 'buffer',
      type: { type: 'record', name: 'Buffer', fields: [{ name: 'next', type: ['null', 'Buffer', 'a.b.class'] }] },
    },
    { name: 'empty', type: { type: 'record', name: 'c.empty_one', fields: [] } },
    {
      name: 'wide',
      type: [
        'null',
        { type: 'record', name: 'ARecordWithALongNameToFillTheLine', fields: [] },
        { type: 'array', items: 'ARecordWithALongNameToFillTheLine' },
        'string',
      ],
    },
  ],
} as const

function biome(text: string): string {
  const run = spawnSync(
    join(root, 'node_modules/.bin/biome'),
    ['check', '--write', '--stdin-file-path=schemas/generated.ts'],
    { cwd: root, input: text, encoding: 'utf8' },
  )
  expect(run.error).toBeUndefined()
  return run.stdout
}

function typeErrors(path: string): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root)
  const program = ts.createProgram([path], { ...options, typeRoots: [join(root, 'node_modules/@types')] })
  const file = program.getSourceFile(path)
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(diagnostic =>
    ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'),
  )
}

describe('the TypeScript of a schema', () => {
  const text = typescriptOfSchema(ODD, 'odd.avsc')

  it('declares what the schema holds', () => {
    for (const part of [
      '/**\n * First line.\n * Second *\\/ line.\n */\nexport interface Class {',
      '  readonly default: string | null\n',
      "  readonly either: { readonly int: number } | { readonly long: number } | { readonly 'a.b.Hash': Buffer } | null\n",
      "export type Kind = 'a' | 'class'\n",
      "export type XKind =\n  | 'SYMBOL_0'\n",
      '  readonly kinds: readonly ({ readonly',
      '  readonly matrix: readonly (readonly number[])[]\n',
      '  readonly map: Readonly<Record<string, Readonly<Record<string, number>> | null>>\n',
      '  readonly buffer: ABBuffer\n',
      'export interface ABBuffer {\n',
      'export const classSchema = avro<Class>({\n',
      'export type EmptyOne = Readonly<Record<string, never>>\n',
    ]) {
      expect(text).toContain(part)
    }
  })

  it('is laid out as biome does, and passes its rules', () => {
    expect(biome(text)).toBe(text)
  })

  it('compiles', () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-codegen-'))
    try {
      const path = join(directory, 'odd.mts')
      writeFileSync(path, `${text}\nexport const value: Class['matrix'] = [[1], [2, 3]]\n`)
      expect(typeErrors(path)).toEqual([])
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('carries the schema unchanged', () => {
    const literal = text.slice(text.indexOf('avro<Class>(') + 'avro<Class>'.length)
    expect(new Function(`return ${literal}`)()).toEqual(ODD)
  })

  it('is refused for what is no record', () => {
    expect(() => typescriptOfSchema('string', 'x.avsc')).toThrow('x.avsc is not a record')
  })
})

describe('literals', () => {
  it('of any JSON keep their value and the layout of biome', () => {
    const text = fc.string({ maxLength: 120, unit: fc.constantFrom('a', ' ', "'", '"', '\\', 'ü', '\n') })
    const key = fc.constantFrom('a', 'ab', 'name', 'a-b', 'longerName', '1')
    const { json } = fc.letrec(tie => ({
      json: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        text,
        fc.constant('ENUM_SYMBOL'),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('json'), { maxLength: 6 }),
        fc.array(text, { maxLength: 12 }),
        fc.dictionary(key, tie('json'), { maxKeys: 5 }),
      ),
    }))
    const values = fc
      .sample(json, { seed: 3, numRuns: 600 })
      .filter(value => typeof value === 'object' && value !== null)
      .map(value => ({ value, key: value, longerName: value }))
    expect(values.length).toBeGreaterThan(100)
    for (const value of values) expect(new Function(`return ${typescriptLiteral(value)}`)()).toEqual(value)
    const lines = values.map((value, i) => {
      const start = `export const value${i} = `
      return `${start}${typescriptLiteral(value, start.length)}\n`
    })
    const formatted = biome(lines.join('\n')).split('\n\n')
    expect(formatted).toEqual(lines.join('\n').split('\n\n'))
  })
})

describe('millrace codegen', () => {
  let directory: string
  let out: string[]
  let err: string[]

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-codegen-'))
    out = []
    err = []
  })

  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) }
  const put = (name: string, schema: object) => writeFileSync(join(directory, name), JSON.stringify(schema))
  const run = (check = false) => codegenCommand({ schemas: directory, check }, io)

  it('writes a file beside each schema, and only where it differs', async () => {
    put('odd.avsc', ODD)
    put('odd.v1.avsc', ODD)
    expect(await run()).toBe(0)
    expect(readdirSync(directory)).toEqual(['odd.avsc', 'odd.ts', 'odd.v1.avsc'])
    expect(readFileSync(join(directory, 'odd.ts'), 'utf8')).toBe(typescriptOfSchema(ODD, 'odd.avsc'))
    const written = statSync(join(directory, 'odd.ts')).mtimeMs
    expect(await run()).toBe(0)
    expect(statSync(join(directory, 'odd.ts')).mtimeMs).toBe(written)
    expect(out.at(-1)).toContain('0 files written')
  })

  it('--check names the files that differ and writes nothing', async () => {
    put('odd.avsc', ODD)
    expect(await run(true)).toBe(1)
    expect(err).toEqual([
      `${join(directory, 'odd.ts')} does not match its schema. Run "millrace codegen" and commit the result.`,
    ])
    expect(readdirSync(directory)).toEqual(['odd.avsc'])
    expect(await run()).toBe(0)
    expect(await run(true)).toBe(0)
  })

  it('says which schema is wrong, and when there is none', async () => {
    expect(await run()).toBe(1)
    expect(err[0]).toContain(directory)
    put('odd.avsc', { ...ODD, fields: [{ name: 'x', type: 'strnig' }] })
    expect(await run()).toBe(1)
    expect(err[1]).toContain(join(directory, 'odd.avsc'))
  })

  it('has been run for the schemas of this repository', async () => {
    expect(await codegenCommand({ schemas: join(root, 'schemas'), check: true }, io)).toBe(0)
  })
})
