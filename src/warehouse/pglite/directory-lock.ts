import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../../model/errors.js'

/** Directories that this process holds: after a restart in a container the process id is often the same. */
const held = new Set<string>()

/**
 * Keeps other processes out of a directory by a file with this process's id and start; a file that an ended process left is
 * replaced. PGlite itself lets two processes damage each other's files.
 * @returns a function that frees the directory.
 * @throws MillraceError WAREHOUSE when another process, or this one, holds the directory.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const file = join(directory, 'millrace.pid')
  if (held.has(directory)) throw inUse(directory, process.pid)
  held.add(directory)
  try {
    const [pid, start] = (await readFile(file, 'utf8').catch(() => '')).split(' ')
    const holder = Number(pid)
    if (holder > 0 && holder !== process.pid && (await isAlive(holder, start))) throw inUse(directory, holder)
    await rm(file, { force: true })
    const started = await startOf(process.pid)
    await writeFile(file, started === undefined ? `${process.pid}` : `${process.pid} ${started}`, { flag: 'wx' })
  } catch (thrown) {
    held.delete(directory)
    throw thrown
  }
  return async () => {
    await rm(file, { force: true })
    held.delete(directory)
  }
}

/**
 * When a process started, in clock ticks since the machine did: it tells one process from a later one of the same id.
 * Undefined for one that has ended, even while nobody has asked for its end (a zombie), and where there is no /proc.
 */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Behind the name, which is in parentheses and may hold anything: state, and 19 fields on the start (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

async function isAlive(pid: number, start: string | undefined): Promise<boolean> {
  if (existsSync('/proc/self/stat')) {
    const found = await startOf(pid)
    return found !== undefined && (start === undefined || start === found)
  }
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
