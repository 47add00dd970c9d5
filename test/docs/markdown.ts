import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** A fenced block of a page. */
export interface CodeBlock {
  readonly page: string
  /** Line of the fence, counted from 1. */
  readonly line: number
  readonly language: string
  /** What stands behind the language: where the block's text comes from. */
  readonly source: string
  readonly text: string
}

/** The pages that readers see, as paths from the root. */
export function pages(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  return ['README.md', ...docs.filter(name => name.endsWith('.md')).map(name => join('docs', name))].sort()
}

/** The text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The fenced blocks of all pages. */
export function codeBlocks(): CodeBlock[] {
  return pages().flatMap(page => {
    const text = textOf(page)
    return [...text.matchAll(/^```(\S+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(match => ({
      page,
      line: text.slice(0, match.index).split('\n').length,
      language: match[1] ?? '',
      source: match[2] ?? '',
      text: match[3] ?? '',
    }))
  })
}

/** The rows of the first table under a heading of a page, cells without their backticks. */
export function tableUnder(page: string, heading: string): string[][] {
  const lines = (textOf(page).split(`\n${heading}\n`)[1] ?? '').split('\n')
  const from = lines.findIndex(line => line.startsWith('|'))
  const to = lines.findIndex((line, i) => i > from && !line.startsWith('|'))
  const rows = lines.slice(from + 2, to).map(row => row.split('|').slice(1, -1))
  return rows.map(cells => cells.map(cell => cell.trim().replaceAll('`', '')))
}
