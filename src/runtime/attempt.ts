/**
 * Work that goes on beside a loop. The loop looks at it every turn and never waits for it, so that a server which does not
 * answer holds up nothing else; whoever has no use for it any more forgets it.
 */
export class Attempt<T> {
  private outcome: { readonly value: T } | { readonly thrown: unknown } | undefined

  constructor(readonly work: Promise<T>) {
    work.then(
      value => {
        this.outcome = { value }
      },
      thrown => {
        this.outcome = { thrown }
      },
    )
  }

  get settled(): boolean {
    return this.outcome !== undefined
  }

  /** What came of it, once it is settled; throws what it threw. */
  result(): T {
    if (this.outcome === undefined) throw new Error('The attempt has not settled.')
    if ('thrown' in this.outcome) throw this.outcome.thrown
    return this.outcome.value
  }
}
