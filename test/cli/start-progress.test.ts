import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LiveLine } from '../../src/cli/live-line.js'
import { createLogger } from '../../src/cli/logger.js'
import { StartProgress } from '../../src/cli/start-progress.js'
import { noAccounting } from '../../src/runtime/accounting.js'
import type { ProcessStatus } from '../../src/runtime/process-status.js'

let written: string[]
let progress: StartProgress | undefined
let figures: ProcessStatus

beforeEach(() => {
  vi.useFakeTimers()
  written = []
  figures = status(0)
})

afterEach(() => {
  progress?.stop()
  vi.useRealTimers()
})

function status(read: number): ProcessStatus {
  return { accounting: { ...noAccounting(), read }, lag: 12_345, openWindows: 60, flushedRows: 7, lateAfterIdle: 0 }
}

const logger = () =>
  createLogger({ level: 'info', readable: false, destination: { write: text => void written.push(text) } })
const live = () => new LiveLine({ columns: 200, write: (text: string) => written.push(text) })

describe('StartProgress', () => {
  it('shows figures in a terminal four times a second, events a second over three', async () => {
    progress = new StartProgress(async () => figures, logger(), live())
    for (let tick = 1; tick <= 40; tick++) {
      figures = status(tick * 500)
      await vi.advanceTimersByTimeAsync(250)
    }
    expect(written).toHaveLength(40)
    expect(written.at(-1)).toContain('2,000 events/s | 20,000 events | lag 12,345 | open windows 60 | rows flushed 7')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(written.at(-1)).toContain('0 events/s')
  })

  it('logs them every five seconds elsewhere', async () => {
    progress = new StartProgress(async () => figures, logger(), undefined)
    await vi.advanceTimersByTimeAsync(14_999)
    expect(written).toHaveLength(2)
    expect(JSON.parse(written[0] as string).msg).toContain('lag 12,345')
  })

  it('passes over figures that cannot be had, and ends', async () => {
    let asked = 0
    const failing = async (): Promise<ProcessStatus> => {
      asked++
      throw new Error('closed')
    }
    progress = new StartProgress(failing, logger(), live())
    await vi.advanceTimersByTimeAsync(500)
    progress.stop()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(asked).toBe(2)
    expect(written).toEqual([])
  })
})
