/** The wall clock, as a port, so that tests and the simulator own time. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Resolves after `milliseconds`. */
  sleep(milliseconds: number): Promise<void>
}
