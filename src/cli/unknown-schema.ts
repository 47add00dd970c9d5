import type { Logger } from 'pino'
import type { SchemaRegistry } from '../ports/schema-registry.js'

/**
 * A registry of files that says once, when an id is in none of them, that there may be a registry with a server: records
 * of such an id become dead letters.
 */
export function hintingAtServer(registry: SchemaRegistry, schemas: string, logger: Logger): SchemaRegistry {
  let said = false
  return {
    register: (subject, schema) => registry.register(subject, schema),
    async schema(id) {
      const schema = await registry.schema(id)
      if (schema === undefined && !said) {
        said = true
        logger.warn(
          `A record has the schema id ${id}, which no .avsc file in ${schemas} has: such records become dead letters (UNKNOWN_SCHEMA_ID). ` +
            'Where its producer uses a schema registry, pass --registry http://host:8081.',
        )
      }
      return schema
    },
  }
}
