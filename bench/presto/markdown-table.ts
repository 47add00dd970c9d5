/** A table in Markdown, with a line a row. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** A whole number with commas: `10,000,000`. */
export const whole = (value: number): string => Math.round(value).toLocaleString('en-US')

/** `12.3 s`, or `45 ms` below a second. */
export const seconds = (value: number): string =>
  value < 1 ? `${Math.round(value * 1_000)} ms` : `${value.toFixed(1)} s`

/** A part of 1: `87 %`. */
export const percent = (part: number, digits = 0): string => `${(100 * part).toFixed(digits)} %`

/** `185 ×`, with a digit behind the point below 10. */
export const times = (ratio: number): string => `${ratio < 10 ? ratio.toFixed(1) : whole(ratio)} ×`
