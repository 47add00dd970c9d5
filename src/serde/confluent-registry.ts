import { setTimeout as sleep } from 'node:timers/promises'
import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError, messageOf } from '../model/errors.js'
import type { SchemaRegistry } from '../ports/schema-registry.js'
import { avroType, schemaName } from './avro-type.js'
import { isNamed, type NamedSchema, selfContained } from './named-schemas.js'
import { type Answer, type RegistryAddress, RegistryRequests } from './registry-requests.js'
import { breakingChanges } from './schema-changes.js'

/** Top-level attributes of `.avsc` files that say something to Millrace's commands, and nothing about the values. */
const OWN_ATTRIBUTES = ['topic', 'key', 'timestamp', 'schemaId']

/** How long an instance of a registry may take to learn of a schema that another one registered, in ms. */
const FOLLOWS_WITHIN = 500

type Data = Readonly<Record<string, unknown>>

/** A schema in another subject that a schema refers to by name. */
interface Reference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

/**
 * A schema registry with the Confluent API: Confluent's, Apicurio, Karapace, Redpanda. Nothing is loaded and nobody asked
 * before the first call. A schema is asked for once, since what an id stands for never changes; that there is none under an
 * id is not remembered.
 */
export function confluentRegistry(address: RegistryAddress): SchemaRegistry {
  const requests = new RegistryRequests(address)
  const schemas = new Map<number, Promise<AvroSchema | undefined>>()
  let served = false

  function unexpected(what: string, answer: Answer): MillraceError {
    const said =
      'refused' in answer ? `${answer.refused.status} ${answer.refused.reason}`.trim() : 'something unexpected'
    return new MillraceError('REGISTRY', `The schema registry ${requests.name}, asked ${what}, answers: ${said}.`)
  }

  /** A wrong path answers 404 too, and must not pass for a registry that lacks a schema. */
  async function assertServed(): Promise<void> {
    if (served) return
    const answer = await requests.ask((client, common) => client.Subject.all({ ...common, limit: 1 }))
    if (isMissing(answer)) {
      throw new MillraceError(
        'REGISTRY',
        `${requests.name} does not serve the Confluent schema registry API: GET /subjects answers 404. Does the address lack a path, such as /apis/ccompat/v7 for Apicurio?`,
      )
    }
    served = true
  }

  async function fetchSchema(id: number): Promise<AvroSchema | undefined> {
    // Bytes that are no schema id: no registry hands these out, and some take the question amiss.
    if (id <= 0) return undefined
    const ask = () => requests.ask((client, common) => client.Schema.find({ ...common, id }))
    let answer = await ask()
    if (isMissing(answer)) {
      await assertServed()
      await sleep(FOLLOWS_WITHIN)
      answer = await ask()
    }
    if ('data' in answer) return schemaIn(answer.data, `the id ${id}`)
    if (isMissing(answer)) return undefined
    throw unexpected(`for the schema with id ${id}`, answer)
  }

  /** The schema of an answer, with the definitions that it refers to. */
  async function schemaIn(data: Data, place: string): Promise<AvroSchema> {
    const definitions = new Map<string, NamedSchema>()
    const schema = avroIn(data, place)
    await collect(referencesIn(data), definitions)
    return definitions.size === 0 ? schema : selfContained(schema, definitions)
  }

  async function collect(references: readonly Reference[], definitions: Map<string, NamedSchema>): Promise<void> {
    for (const { name, subject, version } of references) {
      if (definitions.has(name)) continue
      const answer = await requests.ask((client, common) => client.Subject.version({ ...common, subject, version }))
      if (!('data' in answer)) throw missing(subject, version, answer)
      const definition = avroIn(answer.data, `version ${version} of "${subject}"`)
      if (isNamed(definition)) definitions.set(name, definition)
      await collect(referencesIn(answer.data), definitions)
    }
  }

  function missing(subject: string, version: number, answer: Answer): MillraceError {
    const what = `version ${version} of "${subject}"`
    if (!isMissing(answer)) return unexpected(`for ${what}`, answer)
    return new MillraceError(
      'INVALID_SCHEMA',
      `A schema of the schema registry ${requests.name} refers to ${what}, which is not there. Register it again.`,
    )
  }

  /** What makes the schema incompatible, in the words of the schemas; the registry's own where that finds nothing. */
  async function incompatible(subject: string, schema: AvroSchema, reason: string): Promise<MillraceError> {
    let level = ''
    let difference = `: ${reason}`
    try {
      level = await levelOf(subject)
      difference = (await differenceFrom(subject, schema, level)) ?? difference
    } catch (thrown) {
      difference += ` (${messageOf(thrown)})`
    }
    return new MillraceError(
      'SCHEMA_INCOMPATIBLE',
      `The schema registry ${requests.name} refuses "${schemaName(schema)}" for "${subject}", since it is not ${`${level} compatible`.trim()}${difference}. ` +
        'Change the schema, or the compatibility level of the subject in the registry.',
    )
  }

  async function levelOf(subject: string): Promise<string> {
    const answer = await requests.ask((client, common) =>
      client.Subject.config({ ...common, subject, defaultToGlobal: true }),
    )
    // Confluent's default, where the registry does not say.
    return 'data' in answer ? String(answer.data.compatibilityLevel) : 'BACKWARD'
  }

  async function differenceFrom(subject: string, schema: AvroSchema, level: string): Promise<string | undefined> {
    const last = await requests.ask((client, common) => client.Subject.latestVersion({ ...common, subject }))
    if (!('data' in last)) return undefined
    let data: Data | undefined = last.data
    for (let version = Number(data.version); version > 0; version--) {
      if (data !== undefined) {
        const changes = changesUnder(level, await schemaIn(data, `version ${version} of "${subject}"`), schema)
        if (changes.length > 0) return ` with version ${version}: ${changes.join('; ')}`
      }
      if (!level.endsWith('_TRANSITIVE')) return undefined
      const answer = await requests.ask((client, common) =>
        client.Subject.version({ ...common, subject, version: version - 1 }),
      )
      data = 'data' in answer ? answer.data : undefined
    }
    return undefined
  }

  return {
    async register(subject, schema) {
      avroType(schema)
      const body = { schema: JSON.stringify(withoutOwnAttributes(schema)) }
      // Known schemas need no right to register.
      const known = await requests.ask((client, common) => client.Subject.registered({ ...common, subject, body }))
      const answer =
        'data' in known
          ? known
          : await requests.ask((client, common) => client.Subject.register({ ...common, subject, body }))
      if ('data' in answer && typeof answer.data.id === 'number') return answer.data.id
      if (!('refused' in answer)) throw unexpected(`to register a schema of "${subject}"`, answer)
      const { status, reason } = answer.refused
      if (status === 409) throw await incompatible(subject, schema, reason)
      if (status === 404) await assertServed()
      if (status !== 422) throw unexpected(`to register a schema of "${subject}"`, answer)
      throw new MillraceError(
        'INVALID_SCHEMA',
        `The schema registry ${requests.name} refuses "${schemaName(schema)}" for "${subject}": ${reason}`,
      )
    },

    schema(id) {
      const known = schemas.get(id)
      if (known !== undefined) return known
      const asked = fetchSchema(id)
      schemas.set(id, asked)
      const forget = () => schemas.delete(id)
      asked.then(schema => schema ?? forget(), forget)
      return asked
    },
  }
}

function isMissing(answer: Answer): boolean {
  return 'refused' in answer && answer.refused.status === 404
}

function withoutOwnAttributes(schema: AvroSchema): AvroSchema {
  if (typeof schema === 'string' || Array.isArray(schema)) return schema
  return Object.fromEntries(Object.entries(schema).filter(([attribute]) => !OWN_ATTRIBUTES.includes(attribute)))
}

function avroIn(data: Data, place: string): AvroSchema {
  const { schema, schemaType = 'AVRO' } = data
  if (schemaType !== 'AVRO') {
    throw new MillraceError(
      'INVALID_SCHEMA',
      `The schema registry has a schema of type ${schemaType} under ${place}, and Millrace reads Avro. Write the topic with an Avro serializer.`,
    )
  }
  try {
    return JSON.parse(String(schema))
  } catch (thrown) {
    throw new MillraceError(
      'INVALID_SCHEMA',
      `What the schema registry has under ${place} is no JSON: ${messageOf(thrown)}.`,
    )
  }
}

function referencesIn({ references }: Data): readonly Reference[] {
  return Array.isArray(references) ? references : []
}

/** @param level the registry's: BACKWARD, FORWARD, FULL, each also with _TRANSITIVE. */
function changesUnder(level: string, before: AvroSchema, after: AvroSchema): readonly string[] {
  const backward = level.startsWith('FORWARD') ? [] : breakingChanges(before, after, 'new')
  const forward = level.startsWith('BACKWARD') ? [] : breakingChanges(before, after, 'old')
  return [...new Set([...backward, ...forward])]
}
