import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const PAGE_KB = 4

/** The fields of `/proc/PID/stat` behind the command's name; the first is field 3 of proc(5). */
function statOf(pid: number | 'self'): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** Why figures of processes cannot be had here, or undefined where they can. */
export function processFiguresAvailable(): string | undefined {
  return process.platform === 'linux' ? undefined : 'CPU time and memory of processes are read from /proc, on Linux'
}

/**
 * User and system time, in seconds, of all processes that this one started and waited for, with all that those waited
 * for in turn. The difference around a process that ends by itself is the cost of its whole tree, to a hundredth.
 */
export function cpuOfEndedChildren(): number {
  const stat = statOf('self')
  return (Number(stat[13]) + Number(stat[14])) / ticksASecond()
}

let ticks: number | undefined
function ticksASecond(): number {
  ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return ticks
}

/** Resident memory, in MB, of a process and all below it, as of now; pages that they share count in each. */
export function residentMb(pid: number): number {
  let total = 0
  for (const one of [pid, ...descendants(pid)]) {
    try {
      total += (Number(statOf(one)[21]) * PAGE_KB) / 1024
    } catch {
      // It ended meanwhile.
    }
  }
  return total
}

/**
 * User and system time so far, in seconds, of a process, of those below it that run, and of all that they waited for.
 * Each process is exact to a hundredth, so take differences over more than a moment.
 */
export function cpuOfTree(pid: number): number {
  let spent = 0
  for (const one of [pid, ...descendants(pid)]) {
    try {
      const stat = statOf(one)
      for (const field of [11, 12, 13, 14]) spent += Number(stat[field])
    } catch {
      // It ended meanwhile, and counts as a child of its parent.
    }
  }
  return spent / ticksASecond()
}

/** The process that started this one. */
export function parentOf(pid: number): number {
  return Number(statOf(pid)[1])
}

/** Processes that a process started and that run, with those below them. */
export function descendants(pid: number): number[] {
  const found: number[] = []
  const open = [pid]
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const children = childrenOf(one)
    found.push(...children)
    open.push(...children)
  }
  return found
}

/** What a process calls itself; empty where it ended. */
export function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}
