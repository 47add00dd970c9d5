import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { memoryFlag } from '../../src/cli/run-flags.js'

function parsed(text: string): unknown {
  const command = new Command()
    .addOption(memoryFlag())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  return command.parse(['--memory', text], { from: 'user' }).opts().memory
}

describe('--memory', () => {
  it.each([
    ['1GiB', 2 ** 30],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['512 mib', 512 * 2 ** 20],
    ['800MB', 800e6],
    ['2147483648', 2 ** 31],
    ['64k', 64_000],
  ])('takes %s', (text, bytes) => {
    expect(parsed(text)).toBe(bytes)
  })

  it.each(['', 'much', '1TiB', '-1GiB', '1GiB more', 'Infinity'])('refuses "%s"', text => {
    expect(() => parsed(text)).toThrow('It must be a size such as 1GiB or 800MB.')
  })
})
