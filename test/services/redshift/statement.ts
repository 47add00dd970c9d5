/** A token of SQL with its place in the text. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'parameter' | 'symbol'
  readonly text: string
  /** A word in lower case, the inside of a quoted name or string; else the text. */
  readonly value: string
  readonly start: number
  readonly end: number
}

/** Text that takes the place of a part of a statement. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * A backslash escapes in a string, with or without E: the default escape character of LIKE is written '\\'.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_patternmatching_condition_like.html
 */
const TOKEN =
  /(?<space>\s+|--[^\n]*|\/\*[\s\S]*?\*\/)|(?<string>[eE]?'(?:[^'\\]+|\\[\s\S]|'')*'|\$\$[\s\S]*?\$\$)|(?<quoted>"(?:[^"]+|"")*")|(?<parameter>\$\d+)|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<number>\d[\w.]*)|(?<symbol>::|[\s\S])/y

const KINDS = ['symbol', 'word', 'string', 'number', 'parameter', 'quoted'] as const

/** One statement of SQL, cut into tokens. */
export class Statement {
  constructor(
    readonly sql: string,
    readonly tokens: readonly Token[] = tokensOf(sql),
  ) {}

  /** The first word in lower case. */
  get command(): string {
    return this.value(0) ?? ''
  }

  /** What the word or symbol at a place says; undefined for strings, quoted names and behind the end. */
  value(index: number): string | undefined {
    const token = this.tokens[index]
    return token?.kind === 'word' || token?.kind === 'symbol' ? token.value : undefined
  }

  /** Whether these words and symbols stand at a place. */
  has(index: number, ...words: readonly string[]): boolean {
    return words.every((word, offset) => this.value(index + offset) === word)
  }

  /** The first place of these words and symbols, -1 for none. */
  find(...words: readonly string[]): number {
    return this.tokens.findIndex((_, index) => this.has(index, ...words))
  }

  /** The place of the bracket that closes the one at `open`. */
  closing(open: number): number {
    let depth = 0
    for (let index = open; index < this.tokens.length; index++) {
      const symbol = this.tokens[index]?.kind === 'symbol' ? this.tokens[index]?.text : undefined
      if (symbol === '(') depth++
      if (symbol === ')' && --depth === 0) return index
    }
    return this.tokens.length
  }

  /** The place behind a name such as `schema."table"` that begins at `index`. */
  behindName(index: number): number {
    let end = index + 1
    while (this.value(end) === '.') end += 2
    return end
  }

  /** The text of tokens from one place to before another, as written. */
  text(from: number, to: number): string {
    const first = this.tokens[from]
    const last = this.tokens[to - 1]
    return first && last && to > from ? this.sql.slice(first.start, last.end) : ''
  }

  /** An edit that takes out tokens from one place to before another, or puts text there. */
  replacing(from: number, to: number, text = ''): Edit {
    return { start: this.tokens[from]!.start, end: this.tokens[to - 1]!.end, text }
  }

  edited(edits: readonly Edit[]): Statement {
    if (edits.length === 0) return this
    let sql = ''
    let at = 0
    for (const { start, end, text } of [...edits].sort((a, b) => a.start - b.start)) {
      sql += this.sql.slice(at, start) + text
      at = end
    }
    return new Statement(sql + this.sql.slice(at))
  }
}

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(sql); match; match = TOKEN.exec(sql)) {
    const [text] = match
    const kind = KINDS.find(each => match.groups?.[each] !== undefined)
    if (kind === undefined) continue
    const start = match.index
    tokens.push({ kind, text, value: meaning(kind, text), start, end: start + text.length })
  }
  return tokens
}

function meaning(kind: string, text: string): string {
  switch (kind) {
    case 'word':
      return text.toLowerCase()
    case 'quoted':
      return text.slice(1, -1).replaceAll('""', '"')
    case 'string':
      return text
        .slice(text.indexOf("'") + 1, -1)
        .replaceAll("''", "'")
        .replace(/\\([\s\S])/g, '$1')
    default:
      return text
  }
}

/** The statements of a text, which semicolons separate. */
export function statementsOf(sql: string): Statement[] {
  const whole = new Statement(sql)
  const parts: Statement[] = []
  let from = 0
  for (let index = 0; index <= whole.tokens.length; index++) {
    if (index < whole.tokens.length && whole.value(index) !== ';') continue
    if (index > from) parts.push(index - from === whole.tokens.length ? whole : new Statement(whole.text(from, index)))
    from = index + 1
  }
  return parts
}
