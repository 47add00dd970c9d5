import { dirname, resolve } from 'node:path'
import { OUTPUT, STREAM, TABLE, WINDOWED } from '../operators/flow.js'
import { missingModuleRemedy } from './load-topology.js'
import type { TypeFinding } from './type-check.js'

const MISSING_MODULE = 2307
const NO_PROPERTY = 2339

/** The types `'from'` and `'to'` that the compiler's last line says do not fit, where they are states of flows. */
function mismatch(message: string): readonly [from: string, to: string] | undefined {
  const states = /Type '"([^"]+)"' is not assignable to type '([^']+)'/g
  const last = [...message.matchAll(states)].at(-1)
  return last && [last[1] as string, last[2] as string]
}

/** What is wrong where a flow of one state meets an operator of another; undefined for any other error. */
function stateMessage(message: string): string | undefined {
  const [from, to] = mismatch(message) ?? []
  if (from === undefined || to === undefined) return undefined
  if (to.includes(WINDOWED)) {
    return `It takes a windowed stream, and this is ${article(from)}. Put window(tumbling('1 minute')) before it, or window(globalWindow()).`
  }
  if (to.includes(OUTPUT)) return `A flow has no end. Put to(topic(...)) or to(warehouse(...)) at the end of it.`
  if (from === WINDOWED) {
    return 'It does not take a windowed stream. Move it before window(...), or put aggregate(...) between them.'
  }
  if (to.includes(TABLE) && !to.includes(STREAM)) {
    return 'It takes a table, and this is a stream. Put window(...) and aggregate(...) before it.'
  }
  if (from === TABLE) return 'It takes a stream, and this is a table. Put toStream() before it.'
  return undefined
}

function article(state: string): string {
  return state.split(':')[0] as string
}

/** What the compiler says, in the words of the DSL where they are known, and what to do. */
export function typeMessage({ code, file, message, subject }: TypeFinding): string {
  if (code === MISSING_MODULE) {
    const module = subject.startsWith('.') ? resolve(dirname(file), subject) : subject
    return `It imports "${subject}", which does not exist. ${missingModuleRemedy(module)}`
  }
  const state = stateMessage(message)
  if (state !== undefined) return state
  const said = `${message.split('\n')[0]}${/[.?!]$/.test(message.split('\n')[0] as string) ? '' : '.'}`
  if (code === NO_PROPERTY) return `${said} Name a field of the value; one that the topic has must be in pick(...).`
  return said
}
