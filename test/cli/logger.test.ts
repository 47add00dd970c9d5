import { describe, expect, it } from 'vitest'
import { createLogger, type LogLevel } from '../../src/cli/logger.js'

function logged(level: LogLevel, readable: boolean): { lines: string[]; log: ReturnType<typeof createLogger> } {
  const lines: string[] = []
  const log = createLogger({ level, readable, destination: { write: text => void lines.push(text) } })
  return { lines, log }
}

describe('createLogger', () => {
  it('writes a JSON object a line, before the call returns', () => {
    const { lines, log } = logged('info', false)
    log.child({ topology: 'quest-minute' }).warn('Slow.')
    const { time, ...rest } = JSON.parse(lines.join(''))
    expect(rest).toEqual({ level: 'warn', topology: 'quest-minute', msg: 'Slow.' })
    expect(new Date(time).toISOString()).toBe(time)
    expect(lines.join('').endsWith('\n')).toBe(true)
  })

  it('writes lines for people', () => {
    const { lines, log } = logged('info', true)
    log.info({ lag: 5 }, 'Running.')
    expect(lines.join('')).toMatch(/^\S*\[\d\d:\d\d:\d\d\]\S* .*INFO.*Running\./)
    expect(lines.join('')).toContain('lag')
    expect(lines.join('')).not.toContain('{')
  })

  it('leaves out what is below its level', () => {
    const { lines, log } = logged('warn', false)
    log.info('hidden')
    log.debug('hidden')
    log.error('shown')
    expect(lines).toHaveLength(1)
    const silent = logged('silent', false)
    silent.log.fatal('hidden')
    expect(silent.lines).toEqual([])
  })
})
