import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { duration, flag, instant, positiveNumber, settings, wholeNumber } from '../../src/cli/options.js'

describe('flag', () => {
  it('is a variable too', () => {
    expect(flag('--commit-interval <duration>', 'how often').envVar).toBe('MILLRACE_COMMIT_INTERVAL')
    process.env.MILLRACE_TEST_FLAG = 'variable'
    try {
      const parse = (...args: string[]) =>
        new Command().addOption(flag('--test-flag <text>', 'text')).parse(args, { from: 'user' }).opts()
      expect(parse()).toEqual({ testFlag: 'variable' })
      expect(parse('--test-flag', 'given')).toEqual({ testFlag: 'given' })
    } finally {
      delete process.env.MILLRACE_TEST_FLAG
    }
  })
})

describe('values of flags', () => {
  it.each([
    ['200ms', 200],
    ['20s', 20_000],
    ['1.5h', 5_400_000],
    ['5m', 300_000],
    ['7d', 604_800_000],
    ['30 seconds', 30_000],
  ])('duration %s', (text, milliseconds) => {
    expect(duration(text)).toBe(milliseconds)
  })

  it.each(['', '5', 's', '5 lightyears', '-5s'])('%j is no duration', text => {
    expect(() => duration(text)).toThrow(/is not a duration/)
  })

  it.each(['', ' ', '1.5', '-1', '1e400', 'many', '0'])('%j is no whole number of at least 1', text => {
    expect(() => wholeNumber(1)(text)).toThrow('It must be a whole number of at least 1.')
  })

  it('whole numbers', () => {
    expect(wholeNumber(0)('0')).toBe(0)
    expect(wholeNumber(1)('1000000')).toBe(1_000_000)
  })

  it.each(['0', '-2', '', 'Infinity', 'x'])('%j is no positive number', text => {
    expect(() => positiveNumber(text)).toThrow('It must be a number above 0.')
  })

  it('positive numbers and times', () => {
    expect(positiveNumber('0.5')).toBe(0.5)
    expect(instant('2026-11-01T00:00:00Z')).toBe(Date.UTC(2026, 10, 1))
    expect(instant('1000')).toBe(1_000)
    expect(() => instant('yesterday')).toThrow(/must be a time such as 2026-11-01T00:00:00Z/)
  })
})

describe('settings', () => {
  it('are a line each, later ones win', () => {
    const text = '# comment\nsecurity.protocol=SASL_SSL\r\n\n sasl.jaas = a=b,c \nlinger.ms=5'
    expect(settings(text)).toEqual({ 'security.protocol': 'SASL_SSL', 'sasl.jaas': 'a=b,c', 'linger.ms': '5' })
    expect(settings('linger.ms=10', { 'linger.ms': '5', acks: '1' })).toEqual({ 'linger.ms': '10', acks: '1' })
  })

  it('a wrong one is named by its place, never by its text', () => {
    expect(() => settings('a=1\nhunter2')).toThrow('Setting 2 is not of the form KEY=VALUE.')
    expect(() => settings('=hunter2')).toThrow(/^Setting 1 is not of the form KEY=VALUE\.$/)
  })
})
