import { shownPath } from './load-topology.js'

/** One thing that is wrong with a topology file. */
export interface Finding {
  readonly file: string
  readonly line?: number
  readonly column?: number
  /** `aggregate "quest-minute"`, `topology "quest-minute"`; absent where the file as a whole is meant. */
  readonly node?: string
  /** What is wrong and what to do. */
  readonly message: string
}

/** `topologies/quest-minute.ts:18:42  aggregate "quest-minute"`, and below it what is wrong and what to do. */
export function formatFinding({ column, file, line, message, node }: Finding): string {
  const place = line === undefined ? shownPath(file) : `${shownPath(file)}:${line}:${column}`
  return [node === undefined ? place : `${place}  ${node}`, ...message.split('\n').map(text => `  ${text}`)].join('\n')
}
