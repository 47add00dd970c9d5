import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockDirectory } from '../../../src/warehouse/pglite/directory-lock.js'

describe('lockDirectory', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-lock-'))
  })
  afterEach(() => rm(directory, { recursive: true }))
  const file = () => join(directory, 'millrace.pid')
  const inUse = (pid: number) => ({
    code: 'WAREHOUSE',
    message: expect.stringMatching(new RegExp(`in process ${pid}`)),
  })

  it('keeps this process from a second opening until the first is closed', async () => {
    const unlock = await lockDirectory(directory)
    expect(await readFile(file(), 'utf8')).toBe(String(process.pid))
    await expect(lockDirectory(directory)).rejects.toMatchObject(inUse(process.pid))
    await unlock()
    expect(await readdir(directory)).toEqual([])
    await (await lockDirectory(directory))()
  })

  it('keeps out while the other process lives, and takes over when it has ended', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await writeFile(file(), String(other.pid))
    await expect(lockDirectory(directory)).rejects.toMatchObject(inUse(Number(other.pid)))
    const exited = once(other, 'exit')
    other.kill('SIGKILL')
    await exited
    await (await lockDirectory(directory))()
  })

  it('takes a file for stale that holds this process’s id or no id, as after a restart of a container', async () => {
    for (const contents of [String(process.pid), '', 'x']) {
      await writeFile(file(), contents)
      await (await lockDirectory(directory))()
    }
  })
})
