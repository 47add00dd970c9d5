import type { Heartbeat } from './process-status.js'

/** Why a process ends. */
export interface ProcessFailure {
  /** An `ErrorCode`, or undefined for anything else that was thrown. */
  readonly code: string | undefined
  readonly message: string
}

/** What a worker tells a process. What to do goes this way, since it may hold secrets that a command line would show. */
export type ToProcess<Order> =
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'drain' }
  | { readonly kind: 'metrics'; readonly request: number }

/** What a process tells its worker. */
export type FromProcess<Snapshot> =
  | { readonly kind: 'heartbeat'; readonly heartbeat: Heartbeat }
  | { readonly kind: 'metrics'; readonly request: number; readonly snapshot: Snapshot }
  | { readonly kind: 'failed'; readonly failure: ProcessFailure }
