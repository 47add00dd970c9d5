import type { WindowSpec } from '../topology/node.js'

/** The spec of the global window; its type tells `window(...)` that there are no window columns. */
export type GlobalWindow = WindowSpec & { readonly type: 'global' }

const GLOBAL: GlobalWindow = Object.freeze({ type: 'global', size: Infinity, advance: Infinity, grace: 0 })

/** The one window that holds all time: it starts at 1970-01-01T00:00Z and never closes, so no record is late for it. */
export function globalWindow(): GlobalWindow {
  return GLOBAL
}
