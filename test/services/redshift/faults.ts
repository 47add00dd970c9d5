/** What goes wrong. */
export type RedshiftFaultKind =
  /** The statement fails with 1023, a serializable isolation violation; at COMMIT nothing is committed. */
  | 'conflict'
  /** COMMIT is performed, and the connection is cut before its answer. */
  | 'commit-lost-after'
  /** The connection is cut at COMMIT, before it is performed. */
  | 'commit-lost-before'
  /** The statement is performed `ms` later. */
  | 'slow'
  /** A client that connects is told that there are too many. */
  | 'connection-limit'
  /** The connection of a client that connects is cut. */
  | 'refuse'

export interface RedshiftFault {
  readonly kind: RedshiftFaultKind
  /** Statements that it meets; default: COMMIT. Without meaning where clients connect. */
  readonly at?: RegExp
  /** How often at the most; default 1. */
  readonly times?: number
  /** Of meeting what it matches; default 1. */
  readonly probability?: number
  /** Of `slow`; default 200. */
  readonly ms?: number
}

/** A fault in force. `met` says how often it happened: a fault that did not happen shows as 0. */
export interface InjectedRedshiftFault {
  readonly met: number
  end(): void
}

interface Injected {
  readonly fault: RedshiftFault
  met: number
}

const COMMIT = /^\s*(commit|end)\b/i

/** Faults in force, and how often each kind happened. */
export class RedshiftFaults {
  private readonly injected = new Set<Injected>()
  private readonly counts = new Map<RedshiftFaultKind, number>()

  /** @param random Numbers from 0 to 1, for faults with a probability. */
  constructor(private readonly random: () => number) {}

  inject(fault: RedshiftFault): InjectedRedshiftFault {
    const entry: Injected = { fault, met: 0 }
    this.injected.add(entry)
    return {
      get met() {
        return entry.met
      },
      end: () => void this.injected.delete(entry),
    }
  }

  /** No fault any more; what happened stays counted. */
  clear(): void {
    this.injected.clear()
  }

  /** How often a kind happened. */
  done(kind: RedshiftFaultKind): number {
    return this.counts.get(kind) ?? 0
  }

  /** The fault that a client meets who connects. */
  atConnect(): RedshiftFault | undefined {
    return this.take(({ kind }) => kind === 'connection-limit' || kind === 'refuse')
  }

  /** The fault that a statement meets. */
  atStatement(sql: string): RedshiftFault | undefined {
    const isCommit = COMMIT.test(sql)
    return this.take(({ kind, at }) => {
      if (kind === 'connection-limit' || kind === 'refuse') return false
      if (kind !== 'conflict' && kind !== 'slow') return isCommit
      return at ? at.test(sql) : isCommit
    })
  }

  private take(matches: (fault: RedshiftFault) => boolean): RedshiftFault | undefined {
    for (const entry of this.injected) {
      const { fault } = entry
      if (entry.met >= (fault.times ?? 1) || !matches(fault)) continue
      if (fault.probability !== undefined && this.random() >= fault.probability) continue
      entry.met++
      this.counts.set(fault.kind, this.done(fault.kind) + 1)
      return fault
    }
    return undefined
  }
}
