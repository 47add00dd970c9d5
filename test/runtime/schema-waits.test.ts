import { aggregate, count, to, topic, topology, tumbling, window } from 'millrace'
import { describe, expect, it } from 'vitest'
import type { AvroSchema } from '../../src/model/avro-schema.js'
import { MillraceError } from '../../src/model/errors.js'
import type { StreamProcess } from '../../src/runtime/stream-process.js'
import { avroSerde } from '../../src/serde/avro-serde.js'
import { events, T0 } from './events.js'
import { TestGroup } from './group.js'

const local = topology(
  'group',
  { idleAfter: '5 seconds' },
  events.pipe(window(tumbling('10ms')), aggregate('lists', { c: count() }, { emit: 'final' }), to(topic('out'))),
)

/** The registry of a group as a process sees it, which does not answer while `down`. */
function outage(group: TestGroup) {
  const state = { down: false, asked: 0 }
  const call = async <T>(answer: () => Promise<T>): Promise<T> => {
    state.asked++
    if (state.down) throw new MillraceError('REGISTRY', 'The registry does not answer.')
    return answer()
  }
  const serde = avroSerde({
    register: (subject: string, schema: AvroSchema) => call(() => group.registry.register(subject, schema)),
    schema: (id: number) => call(() => group.registry.schema(id)),
  })
  return { state, serde }
}

async function turns(process: StreamProcess, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await process.step(0)
}

const at = (ms: number, id: number) => ({ at: T0 + ms, id })

describe('a schema registry out of reach', () => {
  it('lets tasks wait with their records, says why, and loses and sets aside none', async () => {
    const group = await TestGroup.create(1, 600_000)
    const { state, serde } = outage(group)
    const process = await group.start(local, { serde })
    await turns(process, 10)
    state.down = true
    await group.send(0, at(0, 1), at(1, 2))
    for (let i = 0; i < 100; i++) {
      await process.step(0)
      group.clock.time += 1_000
    }
    expect(process.health()).toMatchObject({ running: 1, waitingFor: 'The registry does not answer.' })
    expect((await process.status()).accounting).toMatchObject({ read: 0, deadLettered: 0 })
    const warnings = group.warnings.filter(line => line.includes('events/0 wait for a writer schema'))
    expect(warnings.length).toBeGreaterThanOrEqual(3)
    expect(warnings.length).toBeLessThanOrEqual(5)
    expect(state.asked).toBeLessThan(40)
    state.down = false
    group.clock.time += 10_000
    await process.settle()
    expect(process.health()).not.toHaveProperty('waitingFor')
    await group.send(0, at(100, 3))
    await process.settle()
    expect(await group.values('out')).toEqual([{ c: 2 }])
    expect((await process.status()).accounting).toMatchObject({ read: 3, aggregated: 3, deadLettered: 0 })
    await process.close()
  })

  it('holds up no partition whose schemas are known', async () => {
    const group = await TestGroup.create(2, 600_000)
    const { state, serde } = outage(group)
    const process = await group.start(local, { serde })
    await group.send(0, at(0, 1))
    await process.settle()
    state.down = true
    await group.sendAs({ name: 'Other' }, 1, at(0, 2))
    await turns(process, 5)
    await group.send(0, at(100, 3))
    await turns(process, 5)
    expect(await group.values('out')).toEqual([{ c: 1 }])
    expect(process.health()).toMatchObject({ running: 2, waitingFor: expect.any(String) })
    state.down = false
    group.clock.time += 10_000
    await process.settle()
    await group.send(1, at(100, 4))
    await process.settle()
    expect(await group.values('out')).toEqual([{ c: 1 }, { c: 1 }])
    await process.close()
  })

  it('is no idleness: a partition that waits holds its time', async () => {
    const group = await TestGroup.create(1, 600_000)
    const { state, serde } = outage(group)
    const process = await group.start(local, { serde })
    await turns(process, 10)
    state.down = true
    await group.send(0, at(0, 1))
    for (let i = 0; i < 20; i++) {
      await process.step(0)
      group.clock.time += 1_000
    }
    state.down = false
    for (let i = 0; i < 30 && (await process.status()).accounting.read === 0; i++) {
      group.clock.time += 1_000
      await process.step(0)
    }
    await group.send(0, at(1, 2))
    await turns(process, 5)
    expect((await process.status()).accounting).toMatchObject({ read: 2, aggregated: 2, late: 0 })
    group.clock.time += 6_000
    await turns(process, 5)
    expect(await group.values('out')).toEqual([{ c: 2 }])
    await process.close()
  })

  it('passes a partition on to the next owner, who reads the records again', async () => {
    const group = await TestGroup.create(1, 600_000)
    const { state, serde } = outage(group)
    const first = await group.start(local, { serde, instanceId: 'first' })
    await turns(first, 10)
    state.down = true
    await group.send(0, at(0, 1))
    await turns(first, 5)
    expect(first.health().waitingFor).toBeDefined()
    await first.close()
    const second = await group.start(local, { instanceId: 'second' })
    await group.send(0, at(100, 2))
    await second.settle()
    expect(await group.values('out')).toEqual([{ c: 1 }])
    await second.close()
  })

  it('at the start is waited out, with a warning at first and then now and then', async () => {
    const group = await TestGroup.create(1)
    const { state, serde } = outage(group)
    state.down = true
    const sleeps: number[] = []
    const clock = {
      now: () => group.clock.now(),
      async sleep(milliseconds: number) {
        sleeps.push(milliseconds)
        group.clock.time += milliseconds
        if (group.clock.time - T0 > 90_000) state.down = false
      },
    }
    const process = await group.start(local, { serde, clock })
    expect(group.warnings.filter(line => line.includes('The start waits for it'))).toHaveLength(3)
    expect(Math.max(...sleeps)).toBe(5_000)
    await process.settle()
    expect(process.health().running).toBe(1)
    await process.close()
  })

  it('at the start does not keep a process from ending that is told to', async () => {
    const group = await TestGroup.create(1)
    const { state, serde } = outage(group)
    state.down = true
    const stop = new AbortController()
    const clock = {
      now: () => group.clock.now(),
      async sleep() {
        if (state.asked === 3) stop.abort()
      },
    }
    await expect(group.start(local, { serde, clock, stop: stop.signal })).rejects.toMatchObject({ code: 'REGISTRY' })
    expect(state.asked).toBe(4)
  })
})
