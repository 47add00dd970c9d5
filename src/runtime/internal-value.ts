import { createHash } from 'node:crypto'
import { MillraceError } from '../model/errors.js'

/**
 * First byte of every value in an internal topic or store: what follows the fingerprint. `rowClosed` is a row as `row` is, the last
 * one of its key since its window closed.
 */
export const Format = { partial: 1, raw: 2, marker: 3, state: 4, row: 5, progress: 6, schema: 7, rowClosed: 8 } as const

export type Format = (typeof Format)[keyof typeof Format]

/** Bytes in front of an internal value's body: the format, then the fingerprint of its schema. */
export const HEADER_BYTES = 9

const FINGERPRINT_BYTES = 8

/** Eight bytes that are the same on every machine for the same JSON description. */
export function fingerprintOf(description: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(description)).digest().subarray(0, FINGERPRINT_BYTES)
}

/** The header for values of one format and schema, to be put in front of each body. */
export function headerOf(format: Format, fingerprint: Buffer): Buffer {
  return Buffer.concat([Buffer.of(format), fingerprint])
}

/** The fingerprint of the internal value at `start`, as a key for maps. */
export function fingerprintAt(data: Buffer, start: number): string {
  return data.toString('latin1', start + 1, start + HEADER_BYTES)
}

/** What a reader says that meets a format or fingerprint that it does not know. Nothing is skipped: it stops. */
export function unknownFormat(where: string, format: number | undefined, fingerprint: string): MillraceError {
  const name = Object.entries(Format).find(([, code]) => code === format)?.[0] ?? `format ${format}`
  const hex = Buffer.from(fingerprint, 'latin1').toString('hex')
  return new MillraceError(
    'UNKNOWN_FORMAT',
    `${where} holds a ${name} with the fingerprint ${hex}, which this topology did not write. Workers of different versions of the topology share one group, or the topology was changed in a way that cannot read its old internal topics. Run one version, or give the changed topology another name.`,
  )
}
