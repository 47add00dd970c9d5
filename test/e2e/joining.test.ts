import { setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { Load } from './load.js'
import { owners, sharing } from './members.js'
import type { TaskCommit } from './progress-history.js'
import { allEqual, compareCells } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'
import type { Worker } from './worker.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''

/** Longest time between two commits of a partition that does not move, in ms. */
const GAP = 2_000
/** How long the work is watched before a member joins, and after it was given its share, in ms. */
const WATCHED = 4_000

describe.skipIf(kafka === '' || postgres === '')('workers that join and leave', () => {
  it('hold up no partition that stays where it is', async () => {
    const { seed } = seededRandom('joining')
    const rig = await Rig.create({ kafka, postgres })
    const load = await Load.start(rig, { seed, rate: 400 })
    const three = ['one', 'two', 'three'].map(name => rig.member(name))
    const before = await sharing(rig, three)
    const ownedBefore = owners(three, rig.source)
    await sleep(WATCHED)
    const joining = Date.now()
    const four = rig.member('four')
    // The newcomer starts on a machine of its own elsewhere: here its start must not take the others' processors.
    setPriority(four.pid, 19)
    const all = [...three, four]
    const after = await sharing(rig, all)
    const joined = Date.now()
    const stayed = unmoved(ownedBefore, owners(all, rig.source))
    await sleep(WATCHED)
    const leaving = Date.now()
    const left = await four.end('SIGTERM')
    const back = await sharing(rig, three)
    const end = Date.now()
    const total = await load.stop()
    await rig.filled(total, 60_000, () => all.map(({ output }) => output).join('\n'))
    const ends = []
    for (const worker of three) ends.push(await worker.end('SIGTERM'))
    await rig.history.update()

    const tasks = stayed.map(partition => `${rig.source}/${partition}`)
    const gaps = {
      before: longestGaps(rig.history.commits, tasks, joining - WATCHED, joining),
      joining: longestGaps(rig.history.commits, tasks, joining, joined + WATCHED),
      leaving: longestGaps(rig.history.commits, tasks, leaving, end),
    }
    const accounting = await rig.accounting()
    const comparison = compareCells(load.cells(total), await rig.database.cells())
    const times = { joinedAfterMs: joined - joining, takenBackAfterMs: end - leaving }
    console.info('joining and leaving:', { before, after, back, ...times, stayed, gaps, ...comparison })
    expect(before).toHaveLength(3)
    expect(after).toHaveLength(4)
    expect(after[3]).toBeGreaterThan(0)
    expect(stayed.length).toBeGreaterThanOrEqual(4)
    expect(Math.max(...gaps.joining)).toBeLessThanOrEqual(GAP)
    expect(Math.max(...gaps.leaving)).toBeLessThanOrEqual(GAP)
    expect(left).toMatchObject({ code: 0, hit: true })
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0])
    expect(comparison.cells).toBeGreaterThanOrEqual(1_000)
    expect(comparison).toMatchObject(allEqual)
    expect(accounting).toMatchObject({ read: total, aggregated: total, late: 0, lateAfterIdle: 0 })
  }, 240_000)
})

function unmoved(before: ReadonlyMap<number, Worker>, after: ReadonlyMap<number, Worker>): readonly number[] {
  return [...before].filter(([partition, owner]) => after.get(partition) === owner).map(([partition]) => partition)
}

/** The longest time without a commit of each task between `from` and `to`, in ms. */
function longestGaps(commits: readonly TaskCommit[], tasks: readonly string[], from: number, to: number): number[] {
  return tasks.map(task => {
    const times = commits.filter(commit => commit.task === task && commit.time > from && commit.time < to)
    const marks = [from, ...times.map(({ time }) => time), to]
    return Math.max(...marks.slice(1).map((time, i) => time - (marks[i] as number)))
  })
}
