/** A value with how many events have it, at least. */
export interface CountedValue<T> {
  readonly value: T
  readonly count: number
}

/**
 * The frequent values of a stream in bounded memory. A value that occurs more than `n / (size + 1)` times among `n` is
 * always kept, with a count that is at most `n / (size + 1)` too low and never too high.
 *
 * Source: J. Misra, D. Gries, "Finding repeated elements", 1982; the weighted form of P. Agarwal et al., "Mergeable
 * summaries", 2012.
 */
export class HotValues<T> {
  private readonly counters = new Map<T, number>()

  /** @param size values kept at most. */
  constructor(readonly size: number) {}

  add(value: T, count = 1): void {
    const before = this.counters.get(value)
    if (before !== undefined || this.counters.size < this.size) {
      this.counters.set(value, (before ?? 0) + count)
      return
    }
    let least = count
    for (const kept of this.counters.values()) if (kept < least) least = kept
    for (const [kept, its] of this.counters) {
      if (its === least) this.counters.delete(kept)
      else this.counters.set(kept, its - least)
    }
    if (count > least) this.counters.set(value, count - least)
  }

  /** The most frequent values, those with the highest counts first. */
  top(wanted: number): readonly CountedValue<T>[] {
    return [...this.counters]
      .map(([value, count]) => ({ value, count }))
      .sort((a, b) => b.count - a.count)
      .slice(0, wanted)
  }
}
