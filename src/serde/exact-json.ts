import { randomUUID } from 'node:crypto'

/** Stands in front of the digits of an integer that a number cannot hold; no text of a file has it. */
const MARK = `${randomUUID()}:`

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const INTEGER = /^-?[1-9]\d*$/

/** `JSON.parse`, except that integers beyond 2^53 - 1 are bigints. @throws SyntaxError */
export function parseExactJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  const marked = text.replace(TOKEN, token =>
    INTEGER.test(token) && !Number.isSafeInteger(Number(token)) ? `"${MARK}${token}"` : token,
  )
  return JSON.parse(marked, (_key, value) =>
    typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
  )
}
