import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CommandResult } from './command-runner.js'
import { root, runCommands } from './run-commands.js'

const HEAD = `import { avro, fromTopic, to, topic, topology } from 'millrace'
const schema = avro<{ a: string }>({ type: 'record', name: 'A', fields: [{ name: 'a', type: 'string' }] })
const flow = fromTopic('x', { value: schema })
const make = (name: string) => topology(name, flow.pipe(to(topic('y'))))
`

/** Files of a user's project, and what loading them says: names of topologies, or an error. */
const FILES: readonly (readonly [file: string, text: string, expected: RegExp | string])[] = [
  ['one.ts', `${HEAD}export default make('one')`, 'one'],
  ['list.ts', `${HEAD}export default [make('a'), make('b')]`, 'a\nb'],
  ['plain.js', `export { default } from './one.ts'`, 'one'],
  ['none.ts', `${HEAD}export const a = make('a')`, /^none\.ts has no default export\. Write `export default topology/],
  ['flow.ts', `${HEAD}export default flow`, /^flow\.ts exports a flow and no topology\./],
  ['text.ts', `export default 'text'`, /^text\.ts exports a string and no topology\./],
  ['object.ts', `export default {}`, /^object\.ts exports an object and no topology\./],
  [
    'mixed.ts',
    `${HEAD}export default [make('a'), 3]`,
    /^mixed\.ts exports a list that holds something else than topologies\./,
  ],
  ['empty.ts', 'export default []', /^empty\.ts exports a list that holds something else than topologies\./],
  ['syntax.ts', `const a = ;`, /^syntax\.ts is not valid TypeScript: .*syntax\.ts:1:10: .*Unexpected ";"/s],
  [
    'throws.ts',
    `${HEAD}\n\nconst picked = (schema.pick as (field: string) => typeof schema)('b')\nexport default make(String(picked))`,
    /^throws\.ts:7:\d+ throws while it is loaded: pick\(\.\.\.\) names "b", which the schema "A" does not have\. /,
  ],
  [
    'schema.ts',
    `import { b } from './schemas/b.js'\nexport default b`,
    /^schema\.ts imports schemas\/b\.js, which does not exist\. Run `millrace codegen`, which writes it from schemas\/b\.avsc\.$/,
  ],
  [
    'no-schema.ts',
    `import { c } from './schemas/c.js'\nexport default c`,
    /^no-schema\.ts imports schemas\/c\.js, which does not exist\. Put the schema into schemas\/c\.avsc and run `millrace codegen`, /,
  ],
  [
    'import.ts',
    `import { c } from './c.js'\nexport default c`,
    /^import\.ts imports c\.js, which does not exist\. Correct the import, or create the file\.$/,
  ],
  [
    'package.ts',
    `import c from 'no-such-package-of-anybody'\nexport default c`,
    /^package\.ts imports no-such-package-of-anybody, which does not exist\./,
  ],
]

let folder = ''
let results: readonly CommandResult[] = []

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-load-'))
  write('package.json', '{ "type": "module" }')
  write('tsconfig.json', JSON.stringify({ compilerOptions: { paths: { millrace: [join(root, 'src/index.ts')] } } }))
  write('schemas/b.avsc', '{}')
  for (const [file, text] of FILES) write(file, text)
  results = await runCommands([...FILES.map(([file]) => ['load', file]), ['load', 'nowhere.ts']], folder)
}, 120_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each(FILES.map(([file, , expected], index) => ({ file, expected, index })))('$file', ({ expected, index }) => {
  const { err, out } = results[index] as CommandResult
  if (typeof expected === 'string') expect({ err, out }).toEqual({ err: '', out: expected })
  else expect(err).toMatch(expected)
})

test('a file that does not exist', () => {
  expect(results.at(-1)?.err).toBe('nowhere.ts does not exist. Give the path of a file that exports a topology.')
})
