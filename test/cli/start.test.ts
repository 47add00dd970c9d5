import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Command, type CommandEnd, millrace } from './command.js'

const KEYS = [
  ['read', 'aggregated', 'filtered', 'late', 'deadLettered', 'skipped'],
  ['cells', 'wrongCells', 'missingCells', 'extraCells'],
  ['rawRows', 'rollupRows', 'seconds', 'cpuSeconds', 'peakRssMb'],
].flat()

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-start-test-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function start(...args: string[]): Command {
  return new Command(['start', ...args], { env: { TMPDIR: directory } })
}

function resultOf({ stdout }: CommandEnd): Record<string, number> {
  return JSON.parse(stdout.trim().split('\n').at(-1) as string)
}

function proved(events: number) {
  const outcomes = { read: events, aggregated: events, filtered: 0, late: 0, deadLettered: 0, skipped: 0 }
  return { ...outcomes, wrongCells: 0, missingCells: 0, extraCells: 0, rawRows: events }
}

describe('millrace start', () => {
  it('proves its rows, and leaves nothing behind', { timeout: 240_000 }, async () => {
    const end = await start('--events', '30000', '--json').ended
    expect(end.code).toBe(0)
    expect(end.stdout.trim().split('\n')).toHaveLength(1)
    const result = resultOf(end)
    expect(Object.keys(result)).toEqual(KEYS)
    expect(result).toMatchObject(proved(30_000))
    expect(result.cells).toBeGreaterThan(1_000)
    expect(result.rollupRows).toBe(result.cells)
    expect(result.peakRssMb).toBeLessThan(1_024)
    expect(end.stderr).toContain('The proof holds: every row is what its events say.')
    expect(readdirSync(directory).filter(name => name.startsWith('millrace'))).toEqual([])
  })

  it('goes on with the same --state, and shows a table without --json', { timeout: 240_000 }, async () => {
    const state = join(directory, 'state')
    const first = await start('--events', '5000', '--state', state, '--json').ended
    expect(resultOf(first)).toMatchObject(proved(5_000))
    const more = await start('--events', '8000', '--state', state).ended
    expect(more.code).toBe(0)
    expect(more.stdout).toMatch(/quest_type .* window_start .* exact players/)
    expect(more.stdout).toContain('Read 8,000 = aggregated 8,000 + filtered 0 + late 0 + dead-lettered 0 + skipped 0.')
    expect(more.stdout).toMatch(/cells compared: 0 wrong, 0 missing, 0 extra/)
    const other = await millrace(['start', '--state', state, '--seed', '7'])
    expect(other.code).toBe(1)
    expect(other.stderr).toContain('INVALID_OPTION: The events in this folder have the seed 42, and --seed is 7.')
  })

  it('SIGINT ends the production; what was made is proved', { timeout: 240_000 }, async () => {
    const command = start('--events', '1000000', '--rate', '5000', '--json')
    await command.said(/[1-9][\d,]* events \|/)
    command.kill('SIGINT')
    const end = await command.ended
    const result = resultOf(end)
    expect(end.code).toBe(0)
    expect(result.read).toBeGreaterThan(0)
    expect(result.read).toBeLessThan(1_000_000)
    expect(result).toMatchObject(proved(result.read as number))
  })

  it('--for produces for a while', { timeout: 240_000 }, async () => {
    const end = await start('--for', '2s', '--rate', '2000', '--json').ended
    const { read = 0 } = resultOf(end)
    expect(end.code).toBe(0)
    expect(read).toBeGreaterThan(0)
    expect(read).toBeLessThanOrEqual(4_000)
    expect(resultOf(end)).toMatchObject(proved(read))
  })

  it('killed three times, it makes only what is missing', { timeout: 240_000 }, async () => {
    const state = join(directory, 'state')
    const args = ['--events', '100000', '--rate', '10000', '--state', state, '--json']
    for (let kill = 1; kill <= 3; kill++) {
      const command = start(...args)
      const delay = Math.round(300 + Math.random() * 4_000)
      await new Promise(resolve => setTimeout(resolve, delay))
      command.kill('SIGKILL')
      const { code, signal } = await command.ended
      console.info(`Kill ${kill} after ${delay} ms.`)
      expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' })
    }
    const end = await start(...args).ended
    expect({ code: end.code, result: resultOf(end) }).toMatchObject({ code: 0, result: proved(100_000) })
  })
})
