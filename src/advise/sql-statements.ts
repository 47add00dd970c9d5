/** What a `;` does not end: text, quoted names, comments, PostgreSQL's dollar quotes. */
const OPAQUE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$/gy

/** The statements of a file of SQL, without their comments at the start and without those that are empty. */
export function splitStatements(text: string): readonly string[] {
  const statements: string[] = []
  let start = 0
  let at = 0
  const end = (): void => {
    const statement = text
      .slice(start, at)
      .replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/, '')
      .trim()
    if (statement !== '') statements.push(statement)
    start = at + 1
  }
  while (at < text.length) {
    OPAQUE.lastIndex = at
    const opaque = OPAQUE.exec(text)
    if (opaque) at += opaque[0].length
    else {
      if (text[at] === ';') end()
      at++
    }
  }
  end()
  return statements
}
