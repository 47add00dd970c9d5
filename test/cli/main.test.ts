import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { millrace } from './command.js'

describe('millrace', () => {
  it('prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(await millrace(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('lists its commands', async () => {
    const { code, stdout } = await millrace(['--help'])
    expect(code).toBe(0)
    for (const command of ['start', 'run', 'describe', 'topics', 'check', 'codegen', 'load', 'produce']) {
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    }
  })

  it.each(['start', 'run', 'describe', 'topics', 'codegen', 'load', 'produce'])(
    '%s: each flag has its variable',
    async command => {
      const { stdout } = await millrace([command, '--help'])
      const entries = (stdout.split('\nOptions:\n')[1] ?? '')
        .split(/\n(?= {2}-)/)
        .filter(entry => !/-h, --help/.test(entry))
      expect(entries.length).toBeGreaterThan(0)
      for (const entry of entries) {
        const name = /--([a-z0-9-]+)/.exec(entry)?.[1] as string
        expect(entry.replaceAll(/\s+/g, ' ')).toContain(`env: MILLRACE_${name.replaceAll('-', '_').toUpperCase()})`)
      }
    },
  )

  it.each([
    [['unknown'], /unknown command 'unknown'/],
    [['run'], /missing required argument 'file'/],
    [['run', 'a.ts', '--commit-interval', 'soon'], /"soon" is not a duration/],
    [['run', 'a.ts', '--guarantee', 'sometimes'], /Allowed choices are exactly_once, at_least_once/],
    [['run', 'a.ts', '--kafka-config', 'password'], /Setting 1 is not of the form KEY=VALUE/],
    [['run', 'a.ts', '--colour', 'blue'], /unknown option '--colour'/],
    [['run', 'a.ts', '--processes', '0'], /must be a whole number of at least 1/],
    [['run', 'a.ts', '--http', '9095'], /must be HOST:PORT/],
    [['run', 'a.ts', '--drain-timeout', 'soon'], /"soon" is not a duration/],
    [['start', '--events', '-5'], /must be a whole number of at least 1/],
    [['start', '--rate', 'fast'], /must be a number above 0/],
    [['produce', '--start', 'yesterday'], /must be a time such as/],
  ])('%j is wrong usage: exit code 2', async (args, message) => {
    const { code, stdout, stderr } = await millrace(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
  })

  it('takes flags from the environment, and the command line before it', async () => {
    const env = { MILLRACE_FORMAT: 'json', MILLRACE_NAMESPACE: 'staging' }
    const file = new URL('../../topologies/quest-minute.ts', import.meta.url).pathname
    expect(JSON.parse((await millrace(['describe', file], { env })).stdout)).toBeTypeOf('object')
    const text = await millrace(['describe', file, '--format', 'text'], { env })
    expect(text.stdout).toMatch(/^Topologies:/)
    expect(text.stdout).toContain('staging.quest-minute')
  })

  it('a wrong variable is wrong usage, too', async () => {
    const { code, stderr } = await millrace(['start'], { env: { MILLRACE_EVENTS: 'many' } })
    expect(code).toBe(2)
    expect(stderr).toMatch(/MILLRACE_EVENTS.*whole number/)
  })

  it('says what is wrong with its code and without a stack: exit code 1', async () => {
    expect(await millrace(['describe', 'nowhere.ts'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'nowhere.ts does not exist. Give the path of a file that exports a topology.\n',
    })
    const { code, stderr } = await millrace(['run', 'nowhere.ts'])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'LOAD: nowhere.ts does not exist. Give the path of a file that exports a topology.\n',
    })
  })
})
