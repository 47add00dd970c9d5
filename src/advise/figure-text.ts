/** `28 %`, `0.4 %`, `< 0.1 %`. */
export function percent(share: number): string {
  const hundredths = 100 * share
  if (hundredths === 0) return '0 %'
  if (hundredths < 0.1) return '< 0.1 %'
  return `${hundredths >= 10 ? Math.round(hundredths) : Number(hundredths.toFixed(1))} %`
}

/** `12 times`, `1.4 times`, `0.02 times`. */
export function times(factor: number): string {
  return `${figure(factor)} times`
}

/** A number with two digits that matter: `0.021`, `1.4`, `17`. */
export function figure(value: number): string {
  if (value >= 10) return whole(value)
  return value >= 1 ? value.toFixed(1) : String(Number(value.toPrecision(2)))
}

/** `1,234,567`. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
