/** Where a terminal is written to. */
export interface TerminalStream {
  write(text: string): unknown
  /** Columns; absent where it is no terminal. */
  readonly columns?: number | undefined
}

const CLEAR = '\r\u001b[K'

/** One line at the bottom of a terminal that is written over and over; other text goes above it. */
export class LiveLine {
  private text = ''

  constructor(private readonly stream: TerminalStream) {}

  /** Shows `text`, cut to the width of the terminal. */
  show(text: string): void {
    this.text = text.slice(0, Math.max(1, (this.stream.columns ?? 80) - 1))
    this.stream.write(`${CLEAR}${this.text}`)
  }

  /** Writes whole lines above the live one. */
  write(lines: string): void {
    this.stream.write(this.text === '' ? lines : `${CLEAR}${lines}${this.text}`)
  }

  /** Takes the line away. */
  clear(): void {
    if (this.text !== '') this.stream.write(CLEAR)
    this.text = ''
  }
}
