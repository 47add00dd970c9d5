import { expect, it } from 'vitest'
import { createLogger } from '../../src/cli/logger.js'
import { hintingAtServer } from '../../src/cli/unknown-schema.js'
import { fileRegistry } from '../../src/serde/file-registry.js'

it('says once that an id is in no file, and where it may be', async () => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const logger = createLogger({ level: 'info', readable: false, destination })
  const registry = hintingAtServer(fileRegistry({ schemas: ['long'] }), 'my-schemas', logger)
  const id = await registry.register('t-value', 'long')
  expect(await registry.schema(id)).toBe('long')
  expect(lines).toEqual([])
  expect(await registry.schema(7)).toBeUndefined()
  expect(await registry.schema(8)).toBeUndefined()
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/schema id 7.*my-schemas.*UNKNOWN_SCHEMA_ID.*--registry/)
})
