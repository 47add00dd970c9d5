/** Columns of a line, as in biome.json. */
const WIDTH = 120

/** A string that is too long for its line stays behind a key of up to so many columns; behind others it gets its own line. */
const SHORT_KEY = 4

/** A string literal, with the quotes that need fewer escapes, single ones otherwise. */
export function stringLiteral(text: string): string {
  const double = JSON.stringify(text)
  const singles = text.split("'").length
  const doubles = text.split('"').length
  if (singles > doubles) return double
  return `'${double.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

function keyLiteral(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : stringLiteral(key)
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Formatters put each element of a list of objects (or of lists) on lines of its own, however short they are. */
function mustBreak(value: unknown): boolean {
  if (!isContainer(value)) return false
  const inner = Object.values(value)
  if (inner.some(mustBreak)) return true
  if (!Array.isArray(value) || value.length < 2) return false
  const several = (list: boolean) =>
    value.every(one => isContainer(one) && Array.isArray(one) === list && Object.keys(one).length > 1)
  return several(true) || several(false)
}

function onOneLine(value: unknown): string {
  if (typeof value === 'string') return stringLiteral(value)
  if (!isContainer(value)) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`
  const entries = Object.entries(value).map(([key, inner]) => `${keyLiteral(key)}: ${onOneLine(inner)}`)
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

/**
 * JSON as a TypeScript literal in the layout of biome and prettier (single quotes, 120 columns, trailing commas).
 *
 * @param column where the literal begins in its line
 * @param indent columns that the line is indented by
 * @param open keeps an object on several lines even where it fits on one
 */
export function typescriptLiteral(value: unknown, column = 0, indent = 0, open = true): string {
  const line = onOneLine(value)
  const fits = column + line.length < WIDTH
  if (!isContainer(value) || Object.keys(value).length === 0) return line
  if (fits && !mustBreak(value) && !(open && !Array.isArray(value))) return line
  const inside = ' '.repeat(indent + 2)
  const end = ' '.repeat(indent)
  if (Array.isArray(value)) {
    const items = value.map(item => `${inside}${typescriptLiteral(item, indent + 2, indent + 2, false)},`)
    return ['[', ...items, `${end}]`].join('\n')
  }
  const entries = Object.entries(value).map(([key, inner]) => {
    const start = `${inside}${keyLiteral(key)}: `
    const text = typescriptLiteral(inner, start.length, indent + 2, false)
    const nextLine =
      typeof inner === 'string' && keyLiteral(key).length > SHORT_KEY && start.length + text.length >= WIDTH
    return nextLine ? `${start.trimEnd()}\n${inside}  ${text},` : `${start}${text},`
  })
  return ['{', ...entries, `${end}}`].join('\n')
}
