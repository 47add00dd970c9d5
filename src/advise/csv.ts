/** The separator of a CSV's first line: the one of `,` `;` tab and `|` that is there most often. */
function separatorOf(text: string): string {
  const head = text.slice(0, text.search(/\r?\n|$/))
  const counted = [',', ';', '\t', '|'].map(separator => ({ separator, count: head.split(separator).length }))
  return counted.reduce((most, one) => (one.count > most.count ? one : most)).separator
}

/** The rows of a CSV (RFC 4180: quoted fields hold separators, line breaks, and quotes twice), the header's names in lower case. */
export function parseCsv(text: string): readonly Readonly<Record<string, string>>[] {
  const separator = separatorOf(text)
  const rows: string[][] = []
  let row: string[] = []
  let field = ''
  let at = text.startsWith('\ufeff') ? 1 : 0
  const endField = (): void => {
    row.push(field)
    field = ''
  }
  const endRow = (): void => {
    endField()
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
  }
  while (at < text.length) {
    const char = text[at] as string
    if (char === '"' && field === '') {
      for (at++; at < text.length; at++) {
        if (text[at] !== '"') field += text[at]
        else if (text[at + 1] === '"') field += text[at++]
        else break
      }
    } else if (char === separator) endField()
    else if (char === '\n') endRow()
    else if (char !== '\r' || text[at + 1] !== '\n') field += char
    at++
  }
  endRow()
  const [names = [], ...records] = rows
  const header = names.map(name => name.trim().toLowerCase())
  return records.map(record => Object.fromEntries(header.map((name, i) => [name, record[i] ?? ''])))
}
