import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { Load } from './load.js'
import { owners, sharing } from './members.js'
import { allEqual, compareCells } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'
import { until } from './until.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''

const REFUSED = /^A transaction failed and is tried again from the last commit/
const FENCED = /^(Process \d+ failed with )?LOG_FENCED/

describe.skipIf(kafka === '' || postgres === '')('a worker that was stopped beyond its session', () => {
  // The coordinator ends a transaction that stands open too long. Until then, what it holds keeps others from taking over.
  it.each([
    ['ended meanwhile', '5000'],
    ['still open', '15000'],
  ])(
    'is refused when it goes on, its transaction being %s, and no cell is wrong',
    async (_, timeout) => {
      const { seed, random } = seededRandom('zombie')
      const rig = await Rig.create({ kafka, postgres, flags: { 'kafka-config': `transaction.timeout.ms=${timeout}` } })
      const load = await Load.start(rig, { seed, rate: 1_000, total: 90_000 })
      const sleeper = rig.member('sleeper')
      await sleeper.logged(/^Running .*events/)
      const other = rig.member('other')
      const shares = await sharing(rig, [sleeper, other])
      const partitions = [...owners([sleeper, other], rig.source)].filter(([, owner]) => owner === sleeper)
      await sleep(Math.floor(random() * 500))

      const stopped = sleeper.signal('SIGSTOP')
      const stoppedAt = Date.now()
      const saidBefore = sleeper.messages.length
      await until(
        'the other worker on all partitions',
        90_000,
        async () => partitions.every(([partition]) => owners([other], rig.source).has(partition)),
        () => other.output,
      )
      const takenAfterMs = Date.now() - stoppedAt
      const saidMeanwhile = sleeper.messages.length - saidBefore
      const continued = sleeper.signal('SIGCONT')
      const said = () => sleeper.messages.slice(saidBefore)
      const refusal = await until(
        'a commit of the sleeper refused',
        60_000,
        async () => said().find(message => REFUSED.test(message) || FENCED.test(message)),
        () => sleeper.output,
      )
      // It works again as a member, or has ended to be started anew.
      const outcome = await until(
        'the sleeper back at work, or ended',
        60_000,
        async () => (sleeper.running ? said().some(message => message.startsWith('Running ')) && 'back' : 'ended'),
        () => sleeper.output,
      )
      const total = await load.stop()
      await rig.filled(total, 60_000, () => other.output + sleeper.output)
      const ends = [await other.end('SIGTERM'), await sleeper.end('SIGTERM')]

      const accounting = await rig.accounting()
      const comparison = compareCells(load.cells(total), await rig.database.cells())
      console.info('stopped and continued:', {
        shares,
        takenAfterMs,
        refusal,
        outcome,
        ends,
        ...comparison,
        ...accounting,
      })
      expect([stopped, continued]).toEqual([true, true])
      expect(partitions.length).toBeGreaterThan(0)
      expect(takenAfterMs).toBeGreaterThan(3_000)
      expect(saidMeanwhile).toBe(0)
      expect(ends).toMatchObject([{ code: 0 }, outcome === 'back' ? { code: 0, hit: true } : { code: 1, hit: false }])
      if (outcome === 'ended') expect(said().some(message => FENCED.test(message))).toBe(true)
      expect(comparison.cells).toBeGreaterThanOrEqual(1_000)
      expect(comparison).toMatchObject(allEqual)
      expect(accounting).toMatchObject({ read: total, aggregated: total, late: 0, lateAfterIdle: 0 })
    },
    180_000,
  )
})
