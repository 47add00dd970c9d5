import { aggregate, count, repartition, to, topology, tumbling, warehouse, window } from 'millrace'
import { expect, it } from 'vitest'
import { at, drive, events } from './events.js'

const minutes = topology(
  'minutes',
  events.pipe(
    repartition('by-k', { by: 'k' }),
    window(tumbling('1 minute')),
    aggregate('minutes', { c: count() }),
    to(warehouse('minutes', { maxBytes: { k: 8 } })),
  ),
)

it('a row that its column is too short for lands among the dead letters with its reason, and its neighbours in the table', async () => {
  const driver = await drive(minutes)
  const keys = ['12345678', '123456789', '🐎🐎', '🐎🐎!', 'a']
  await driver.pipeAll(
    'events',
    keys.map((k, id) => at(1, { k, id })),
  )
  expect((await driver.rows('minutes')).map(({ k, c }) => [k, c])).toEqual([
    ['12345678', 1],
    ['a', 1],
    ['🐎🐎', 1],
  ])
  const letters = (await driver.readDeadLetters()).map(({ headers }) =>
    Object.fromEntries(headers.map(([name, value]) => [name.replace('__streams.errors.', ''), String(value)])),
  )
  expect(letters).toHaveLength(2)
  for (const [letter, key] of [
    [letters[0], '123456789'],
    [letters[1], '🐎🐎!'],
  ] as const) {
    expect(letter).toMatchObject({ exception: 'UNSTORABLE', topic: 'minutes-minutes-rows' })
    expect(letter?.message).toContain('column "k" of table "minutes" holds 9 bytes, more than its maxBytes of 8')
    expect(letter?.message).toContain(JSON.stringify(key))
  }
  // What cannot be stored is not tried again: the sink goes on.
  await driver.pipe('events', at(2, { k: 'a', id: 9 }))
  expect((await driver.rows('minutes')).find(({ k }) => k === 'a')?.c).toBe(2)
  expect(await driver.readDeadLetters()).toEqual([])
})
