import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

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
  const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  const stat = statOf('self')
  return (Number(stat[13]) + Number(stat[14])) / ticks
}

/** Resident memory, in MB, of a process and all below it, as of now; pages that they share count in each. */
export function residentMb(pid: number): number {
  const children = new Map<number, number[]>()
  const resident = new Map<number, number>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const stat = statOf(Number(entry))
      const parent = Number(stat[1])
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
      resident.set(Number(entry), (Number(stat[21]) * PAGE_KB) / 1024)
    } catch {
      // It ended meanwhile.
    }
  }
  let total = 0
  const open = [pid]
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    total += resident.get(one) ?? 0
    open.push(...(children.get(one) ?? []))
  }
  return total
}
