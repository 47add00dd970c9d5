declare global {
  interface String {
    /** ES2024, in Node from version 20. */
    isWellFormed(): boolean
    /** ES2024, in Node from version 20. */
    toWellFormed(): string
  }
}

const SURROGATES = 0xd800

/** The text as it is after a trip through UTF-8: a lone surrogate becomes U+FFFD. */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed()
}

/** Order of code points, which is the order of the UTF-8 bytes and of the collation "C" in PostgreSQL. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return codePointRank(x) - codePointRank(y)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above all others. */
function codePointRank(unit: number): number {
  return unit >= SURROGATES && unit < 0xe000 ? unit + 0x10000 : unit
}
