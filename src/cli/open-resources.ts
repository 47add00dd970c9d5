import { systemClock } from './system-clock.js'

/** Time that closing may take after a failure, in ms: a log or warehouse that is gone must not keep the process. */
const CLOSE_AFTER_FAILURE = 10_000

interface Resource {
  readonly close: () => Promise<void>
  readonly abandon: () => Promise<void>
}

/** What a command has opened: closed in reverse order. */
export class OpenResources {
  private readonly resources: Resource[] = []

  /** @param abandon closes it after a failure, when work under way is to be dropped; default `close`. */
  add(close: () => Promise<void>, abandon: () => Promise<void> = close): void {
    this.resources.unshift({ close, abandon })
  }

  async close(): Promise<void> {
    for (let resource = this.resources.shift(); resource; resource = this.resources.shift()) await resource.close()
  }

  /** Closes all that can be closed, for 10 seconds at the most. */
  async abandon(): Promise<void> {
    const abandoning = (async () => {
      for (const resource of this.resources.splice(0)) await resource.abandon().catch(() => undefined)
    })()
    await Promise.race([abandoning, systemClock.sleep(CLOSE_AFTER_FAILURE)])
  }
}
