import type { Logger } from 'pino'
import type { ProcessStatus } from '../runtime/process-status.js'
import type { LiveLine } from './live-line.js'

const LIVE_INTERVAL = 250
const LOG_INTERVAL = 5_000

/** Time over which events a second are counted, in ms. */
const RATE_OVER = 3_000

const NUMBER = new Intl.NumberFormat('en-US')

interface Sample {
  readonly at: number
  readonly read: number
}

/** Shows the figures of a running process: in a terminal as one live line, elsewhere as a log line every 5 seconds. */
export class StartProgress {
  private readonly samples: Sample[] = []
  private readonly timer: NodeJS.Timeout

  constructor(
    private readonly status: () => Promise<ProcessStatus>,
    private readonly logger: Logger,
    private readonly live: LiveLine | undefined,
  ) {
    this.timer = setInterval(() => this.tick(), live ? LIVE_INTERVAL : LOG_INTERVAL)
    this.timer.unref()
  }

  private tick(): void {
    // A failure shows in the process itself.
    this.status().then(
      status => this.show(status, performance.now()),
      () => undefined,
    )
  }

  /** @param at wall clock in ms */
  show({ accounting: { read }, lag, openWindows, flushedRows }: ProcessStatus, at: number): void {
    this.samples.push({ at, read })
    while (this.samples.length > 2 && at - (this.samples[0] as Sample).at > RATE_OVER) this.samples.shift()
    const { at: since, read: before } = this.samples[0] as Sample
    const rate = at > since ? Math.round(((read - before) / (at - since)) * 1_000) : 0
    const figures = [
      `${NUMBER.format(rate)} events/s`,
      `${NUMBER.format(read)} events`,
      `lag ${NUMBER.format(lag)}`,
      `open windows ${NUMBER.format(openWindows)}`,
      `rows flushed ${NUMBER.format(flushedRows)}`,
    ].join(' | ')
    if (this.live) this.live.show(figures)
    else this.logger.info(figures)
  }

  stop(): void {
    clearInterval(this.timer)
    this.live?.clear()
  }
}
