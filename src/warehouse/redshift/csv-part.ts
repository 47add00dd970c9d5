import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Row } from '../../ports/warehouse.js'
import { toRedshiftText } from './redshift-type.js'

/** Characters of a part before it is compressed: parts are loaded in parallel, and each is put as a whole. */
const PART_CHARACTERS = 8 * 1024 * 1024

const compress = promisify(gzip)

/** Rows as COPY reads them, and the text that stands for NULL in them. */
export interface CsvParts {
  readonly nullAs: string
  readonly parts: AsyncIterable<Buffer>
}

/**
 * Rows in the CSV format of COPY, in parts compressed with gzip. What stands for NULL is a text that no value is equal to:
 * COPY's pages do not say whether a field in quotes may be NULL.
 * https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
 */
export function csvParts(rows: readonly Row[]): CsvParts {
  let nullAs = 'null'
  while (rows.some(row => row.includes(nullAs))) nullAs += '-null'
  return { nullAs, parts: compressedParts(rows, nullAs) }
}

async function* compressedParts(rows: readonly Row[], nullAs: string): AsyncGenerator<Buffer> {
  let lines: string[] = []
  let characters = 0
  for (const row of rows) {
    const line = row.map(value => field(toRedshiftText(value), nullAs)).join(',')
    lines.push(line)
    characters += line.length
    if (characters < PART_CHARACTERS) continue
    yield await compress(`${lines.join('\n')}\n`)
    lines = []
    characters = 0
  }
  if (lines.length > 0) yield await compress(`${lines.join('\n')}\n`)
}

function field(text: string | null, nullAs: string): string {
  return text === null ? nullAs : `"${text.replaceAll('"', '""')}"`
}
