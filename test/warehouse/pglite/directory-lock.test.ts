import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
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
    expect((await readFile(file(), 'utf8')).split(' ')[0]).toBe(String(process.pid))
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

  it.runIf(process.platform === 'linux')('takes over from a zombie', async () => {
    // The shell's child ends, and the shell, turned into a sleep, never asks for its end.
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'])
    const [text] = (await once(parent.stdout, 'data')) as [Buffer]
    const zombie = Number(text.toString())
    while (!/^\d+ \(.*\) Z/.test(await readFile(`/proc/${zombie}/stat`, 'utf8'))) await setTimeout(10)
    await writeFile(file(), String(zombie))
    await (await lockDirectory(directory))()
    const exited = once(parent, 'exit')
    parent.kill('SIGKILL')
    await exited
  })

  it.runIf(process.platform === 'linux')('takes over from a process whose id another one has by now', async () => {
    await (await lockDirectory(directory))()
    await writeFile(file(), `${process.ppid} 1`)
    await (await lockDirectory(directory))()
  })

  it('takes a file for stale that holds this process’s id or no id, as after a restart of a container', async () => {
    for (const contents of [String(process.pid), '', 'x']) {
      await writeFile(file(), contents)
      await (await lockDirectory(directory))()
    }
  })
})
