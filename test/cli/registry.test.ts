import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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
function load(
  type: string,
  points: unknown,
  registry: string,
  { flags = [], env = {} }: { readonly flags?: readonly string[]; readonly env?: Record<string, string> } = {},
): Promise<CommandEnd> {
  const fields = [
    { name: 'points', type },
    { name: 'user', type: 'string' },
  ]
  const schema = { type: 'record', name: 'Score', topic, key: 'user', fields }
  writeFileSync(join(directory, 'score.avsc'), JSON.stringify(schema))
  writeFileSync(join(directory, 'scores.jsonl'), `${JSON.stringify({ points, user: 'anna' })}\n`)
  const args = ['load', topic, 'scores.jsonl', '--schemas', '.', '--state', 'state', '--partitions', '1', ...flags]
  return new Command(args, { cwd: directory, env: { MILLRACE_REGISTRY: registry, ...env } }).ended
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

  it('says who asks by a file and variables, where the registry wants to know', async () => {
    const guard = createServer((request, response) => {
      const { method = 'GET', url: path = '', headers } = request
      const wanted = `Basic ${Buffer.from('anna:hunter2').toString('base64')}`
      if (headers.authorization !== wanted) {
        response.writeHead(401).end()
        return
      }
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', async () => {
        const body = chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}
        const type = { 'content-type': headers['content-type'] ?? '' }
        const answer = await fetch(new URL(path, url), { method, headers: type, ...body })
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
      })
    })
    await new Promise<void>(resolve => guard.listen(0, '127.0.0.1', resolve))
    try {
      const guarded = new URL(url)
      guarded.port = `${(guard.address() as AddressInfo).port}`
      const refused = await load('long', 5, guarded.href)
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('no user, password or token is set') })
      const file = join(directory, 'password')
      writeFileSync(file, 'hunter2\n')
      const env = { MILLRACE_REGISTRY_USER: 'anna', MILLRACE_REGISTRY_PASSWORD_FILE: file }
      expect(await load('long', 5, guarded.href, { env })).toMatchObject({ code: 0, stderr: '' })
    } finally {
      guard.close()
    }
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
    const end = await load('long', 5, '', { flags: ['--registry', 'http://anna:hunter2@127.0.0.1:1'] })
    expect(end.code).toBe(2)
    expect(end.stderr).toContain('MILLRACE_REGISTRY_PASSWORD')
    expect(end.stderr).not.toContain('hunter2')
  }, 60_000)
})
