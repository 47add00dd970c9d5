import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { messageOf } from '../model/errors.js'
import { readSchemaDirectory } from '../serde/schema-files.js'
import type { Io } from './io.js'
import { typescriptOfSchema } from './typescript-of-schema.js'

export interface CodegenOptions {
  /** Directory of `.avsc` files. */
  readonly schemas: string
  /** Writes nothing; exit code 1 when a file differs from what would be written. */
  readonly check: boolean
}

/**
 * `millrace codegen`: writes `NAME.ts` beside each `NAME.avsc`. Older versions (`NAME.v1.avsc`) have no TypeScript.
 * @returns the exit code: 0; 1 when a schema is wrong, there is none, or `check` found a difference.
 */
export async function codegenCommand(options: CodegenOptions, io: Io): Promise<number> {
  const outdated: string[] = []
  try {
    const files = readSchemaDirectory(options.schemas).filter(file => !file.old)
    if (files.length === 0) {
      io.err(`There is no .avsc file in ${options.schemas}. Put schemas there, or name their directory with --schemas.`)
      return 1
    }
    for (const file of files) {
      const path = join(options.schemas, `${file.name}.ts`)
      const text = typescriptOfSchema(file.schema, basename(file.path))
      if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
      outdated.push(path)
      if (!options.check) writeFileSync(path, text)
    }
    if (options.check) {
      for (const path of outdated)
        io.err(`${path} does not match its schema. Run "millrace codegen" and commit the result.`)
      if (outdated.length > 0) return 1
    }
    io.out(
      options.check
        ? `${files.length} schemas match their TypeScript.`
        : `${files.length} schemas, ${outdated.length} files written.${outdated.map(path => `\n  ${path}`).join('')}`,
    )
    return 0
  } catch (thrown) {
    io.err(messageOf(thrown))
    return 1
  }
}
