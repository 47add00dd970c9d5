import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../../model/errors.js'

/** Directories that this process holds: after a restart in a container the process id is often the same. */
const held = new Set<string>()

/**
 * Keeps other processes out of a directory by a file with this process's id; a file that an ended process left is
 * replaced. PGlite itself lets two processes damage each other's files.
 * @returns a function that frees the directory.
 * @throws MillraceError WAREHOUSE when another process, or this one, holds the directory.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const file = join(directory, 'millrace.pid')
  if (held.has(directory)) throw inUse(directory, process.pid)
  held.add(directory)
  try {
    const holder = Number(await readFile(file, 'utf8').catch(() => ''))
    if (holder > 0 && holder !== process.pid && isAlive(holder)) throw inUse(directory, holder)
    await rm(file, { force: true })
    await writeFile(file, String(process.pid), { flag: 'wx' })
  } catch (thrown) {
    held.delete(directory)
    throw thrown
  }
  return async () => {
    await rm(file, { force: true })
    held.delete(directory)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    // EPERM: there is such a process, of another user.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM'
  }
}

function inUse(directory: string, pid: number): MillraceError {
  return new MillraceError(
    'WAREHOUSE',
    `The PGlite warehouse in "${directory}" is open in process ${pid}. End that process, or choose another directory.`,
  )
}
