import { describe, expect, it } from 'vitest'
import type { Warehouse } from '../../src/ports/warehouse.js'
import { WarehousePermits } from '../../src/runtime/warehouse-permits.js'
import { TestGroup } from './group.js'

/** A process, and how many sessions its warehouse lets it have. */
async function member(group: TestGroup, sessions: number, topologies = ['a']) {
  const allowed = { sessions: -1 }
  const warehouse: Warehouse = {
    ...group.warehouse,
    sessions: {
      inUse: 0,
      limit: 0,
      allow: async limit => {
        allowed.sessions = limit
      },
    },
  }
  const warnings: string[] = []
  const logger = { info: () => undefined, warn: (message: string) => warnings.push(message) }
  const { log, clock } = group
  const permits = await WarehousePermits.open({ log, clock, logger, warehouse, topologies, sessions, namespace: 'ns' })
  return { permits, allowed, warnings, held: () => permits.all.map(([permit]) => permit) }
}

describe('permits for sessions', () => {
  it('are all held by one process, and shared with the next one', async () => {
    const group = await TestGroup.create()
    const one = await member(group, 3)
    expect(one.allowed.sessions).toBe(0)
    await one.permits.step()
    expect([one.held(), one.allowed.sessions]).toEqual([[0, 1, 2], 3])
    const two = await member(group, 3)
    for (let i = 0; i < 5; i++) for (const { permits } of [one, two]) await permits.step()
    expect([...one.held(), ...two.held()].sort()).toEqual([0, 1, 2])
    expect([one.allowed.sessions, two.allowed.sessions]).toEqual([one.held().length, two.held().length])
    await one.permits.close()
    expect(one.allowed.sessions).toBe(0)
    await two.permits.step()
    expect(two.held()).toEqual([0, 1, 2])
    await two.permits.close()
  })

  it('go over only after what is under way has ended and the session is closed', async () => {
    const group = await TestGroup.create(1, 600_000)
    const one = await member(group, 2)
    await one.permits.step()
    let finish = (): void => undefined
    const gate = new Promise<void>(resolve => {
      finish = resolve
    })
    const works = one.permits.all.map(([, turns]) => turns.take(0, () => gate))
    const two = await member(group, 2)
    for (let i = 0; i < 5; i++) for (const { permits } of [one, two]) await permits.step()
    expect([one.held().length, two.held().length, one.allowed.sessions]).toEqual([1, 0, 2])
    finish()
    await Promise.all(works)
    for (let i = 0; i < 5; i++) for (const { permits } of [one, two]) await permits.step()
    expect([one.held().length, two.held().length, one.allowed.sessions]).toEqual([1, 1, 1])
    await one.permits.close()
    await two.permits.close()
  })

  it('are as many as the topic says, for everybody', async () => {
    const group = await TestGroup.create()
    const one = await member(group, 1)
    const two = await member(group, 4, ['b'])
    expect(one.warnings).toEqual([])
    expect(two.warnings).toMatchObject([expect.stringContaining('all workers use 1 sessions')])
    for (const { permits } of [one, two]) await permits.step()
    // Workers of other topologies have permits of their own.
    expect([one.held(), two.held()]).toEqual([[0], [0]])
    expect(one.permits.turnsOf('any-rows')).toBe(one.permits.all[0]?.[1])
    await one.permits.close()
    expect(one.permits.turnsOf('any-rows')).toBeUndefined()
    await two.permits.close()
  })
})
