import type { TextRow } from '../sql/session.js'

/** Characters that a chunk holds at least before it is sent. */
const CHUNK_CHARACTERS = 64 * 1024

const ESCAPED = /[\\\b\f\n\r\t\v]/g
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** Rows in the text format of PostgreSQL's COPY (documentation, "COPY", section "Text Format"), in chunks. */
export function* copyText(rows: Iterable<TextRow>): Generator<Buffer> {
  let chunk = ''
  for (const row of rows) {
    chunk += `${row.map(field).join('\t')}\n`
    if (chunk.length >= CHUNK_CHARACTERS) {
      yield Buffer.from(chunk)
      chunk = ''
    }
  }
  if (chunk.length > 0) yield Buffer.from(chunk)
}

function field(text: string | null): string {
  return text === null ? '\\N' : text.replace(ESCAPED, character => ESCAPES[character] as string)
}
