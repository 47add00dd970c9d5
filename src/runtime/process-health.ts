/** How a stream process is, for probes. Times are wall-clock ms since 1970, as the clock port has them. */
export interface ProcessHealth {
  /** When the loop last began a turn. A turn polls, so that a loop that stands still loses its partitions in time. */
  readonly turnedAt: number
  /** Since when there has been something to commit that is not committed; absent where everything is. */
  readonly uncommittedSince?: number
  /** The group has told this process its partitions, which may be none. */
  readonly joined: boolean
  /** Tasks that run. */
  readonly running: number
  /** Tasks whose state is being restored; their partitions are not read yet. */
  readonly restoring: number
  /** Sink partitions that are written to the warehouse. */
  readonly sinksOpen: number
  /** Sink partitions that wait for the warehouse. */
  readonly sinksWaiting: number
  /** Why tasks wait that do run, such as a schema registry out of reach; absent where none does. */
  readonly waitingFor?: string
}
