/** One row of a CSV file. */
export interface CsvRow {
  /** From 1. */
  readonly line: number
  readonly fields: readonly string[]
  readonly bytes: number
}

/**
 * Rows of a CSV file: fields in quotes hold delimiters, line ends and doubled quotes. COPY's pages know no difference
 * between a field in quotes and the same one without, so there is none here.
 * https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html#copy-csv
 */
export function* csvRows(text: string, delimiter: string, quote: string): Iterable<CsvRow> {
  let at = 0
  let line = 0
  while (at < text.length) {
    const start = at
    const fields: string[] = []
    line++
    for (;;) {
      const field = text[at] === quote ? quotedField(text, at, quote) : plainField(text, at, delimiter)
      fields.push(field.value)
      at = field.end
      if (text[at] !== delimiter) break
      at++
    }
    const bytes = Buffer.byteLength(text.slice(start, at))
    if (text[at] === '\r') at++
    if (at < text.length && text[at] !== '\n') {
      throw new Error(`Invalid quote formatting for CSV in line ${line}`)
    }
    at++
    yield { line, fields, bytes }
  }
}

interface Field {
  readonly value: string
  readonly end: number
}

function plainField(text: string, at: number, delimiter: string): Field {
  let end = at
  while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r') end++
  return { value: text.slice(at, end), end }
}

function quotedField(text: string, at: number, quote: string): Field {
  let value = ''
  for (let from = at + 1; ; ) {
    const end = text.indexOf(quote, from)
    if (end < 0) throw new Error('Missing closing quote for CSV')
    value += text.slice(from, end)
    if (text[end + 1] !== quote) return { value, end: end + 1 }
    value += quote
    from = end + 2
  }
}
