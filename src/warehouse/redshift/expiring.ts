/** Something that is valid until `expiresAt`, in ms since 1970. */
export interface Expiring<T> {
  readonly value: T
  readonly expiresAt: number
}

/** Time in ms before its end at which something is renewed. */
const EARLY = 5 * 60_000

/**
 * Keeps something that expires, and gets another one 5 minutes before, when it is next asked for. Whoever asks meanwhile
 * waits for the same one. While the old one is valid, a failure to renew it is no failure.
 */
export class Renewed<T> {
  private held: Expiring<T> | undefined
  private renewing: Promise<Expiring<T>> | undefined

  constructor(
    private readonly get: () => Promise<Expiring<T>>,
    private readonly now: () => number,
  ) {}

  /** @throws what `get` throws, where none is valid. */
  async value(): Promise<T> {
    if (this.held && this.now() < this.held.expiresAt - EARLY) return this.held.value
    this.renewing ??= this.get().finally(() => {
      this.renewing = undefined
    })
    try {
      this.held = await this.renewing
    } catch (thrown) {
      if (!this.held || this.now() >= this.held.expiresAt) throw thrown
    }
    return this.held.value
  }
}
