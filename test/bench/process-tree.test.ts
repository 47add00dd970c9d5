import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { cpuOfTree, descendants, parentOf, processFiguresAvailable, titleOf } from '../../bench/process-tree.js'

/** A shell that starts a process which burns CPU, says so on stdout, and waits for it. */
const BURN = 'node -e "const end = Date.now() + 300; while (Date.now() < end);"; echo burnt; sleep 60 & wait'

describe.skipIf(processFiguresAvailable() !== undefined)('figures of a process tree', () => {
  it('count children that run and those that ended', async () => {
    const shell = spawn('sh', ['-c', BURN], { stdio: ['ignore', 'pipe', 'ignore'] })
    const pid = shell.pid as number
    try {
      await once(shell.stdout, 'data')
      expect(cpuOfTree(pid)).toBeGreaterThan(0.1)
      expect(parentOf(pid)).toBe(process.pid)
      expect(titleOf(pid)).toContain('sh -c')
      await expect.poll(() => descendants(pid).map(titleOf)).toEqual(['sleep 60'])
    } finally {
      for (const child of descendants(pid)) process.kill(child)
      shell.kill()
    }
  })

  it('are nothing for a process that ended', () => {
    const { pid } = spawnSync('true')
    expect(cpuOfTree(pid)).toBe(0)
    expect(titleOf(pid)).toBe('')
    expect(descendants(pid)).toEqual([])
  })
})
