import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { unique } from '../log/member.js'
import { Command, type CommandEnd } from './command.js'

const url = inject('registry') ?? ''

let directory: string
let topic: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-registry-'))
  topic = unique('scores')
})

afterEach(() => {
  rmSync(directory, { recursive: true })
})

/** Loads one score with a schema whose points are of `type`, into the embedded log. */
function load(type: string, points: unknown, registry: string, flags: readonly string[] = []): Promise<CommandEnd> {
  const fields = [
    { name: 'points', type },
    { name: 'user', type: 'string' },
  ]
  const schema = { type: 'record', name: 'Score', topic, key: 'user', fields }
  writeFileSync(join(directory, 'score.avsc'), JSON.stringify(schema))
  writeFileSync(join(directory, 'scores.jsonl'), `${JSON.stringify({ points, user: 'anna' })}\n`)
  const args = ['load', topic, 'scores.jsonl', '--schemas', '.', '--state', 'state', '--partitions', '1', ...flags]
  return new Command(args, { cwd: directory, env: { MILLRACE_REGISTRY: registry } }).ended
}

describe.skipIf(url === '')('load with --registry', () => {
  it('registers the schema, and is refused with the field that changed', async () => {
    const first = await load('long', 5, url)
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('1 records of scores.jsonl loaded') })
    const id = Number(/schema id (\d+)/.exec(first.stdout)?.[1])
    const latest = await fetch(`${url}/subjects/${topic}-value/versions/latest`)
    expect(await latest.json()).toMatchObject({ id, version: 1 })
    const level = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"compatibility":"FULL"}' }
    expect((await fetch(`${url}/config/${topic}-value`, level)).status).toBe(200)
    const refused = await load('string', '5', url)
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain(
      'not FULL compatible with version 1: field "points": long became string. Change the schema',
    )
  }, 60_000)
})

describe('a registry that is not there', () => {
  it('ends load with its address, without user and password', async () => {
    const end = await load('long', 5, 'http://anna:hunter2@127.0.0.1:1')
    expect(end.code).toBe(1)
    expect(end.stderr).toMatch(/The schema registry http:\/\/127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/)
    expect(end.stderr).not.toContain('hunter2')
  }, 60_000)

  it('is refused with a password on the command line', async () => {
    const end = await load('long', 5, '', ['--registry', 'http://anna:hunter2@127.0.0.1:1'])
    expect(end.code).toBe(2)
    expect(end.stderr).toContain('MILLRACE_REGISTRY_PASSWORD')
    expect(end.stderr).not.toContain('hunter2')
  }, 60_000)
})
