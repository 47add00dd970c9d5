import { filter, to, topic, topology } from 'millrace'
import { expect, test } from 'vitest'
import { events } from './events.js'

const output = events.pipe(
  filter(() => true),
  to(topic('x')),
)

test('holds its outputs and the default settings', () => {
  const other = events.pipe(to(topic('y')))
  const made = topology('quests', output, other)
  expect(made).toEqual({
    kind: 'topology',
    name: 'quests',
    options: { onError: 'deadLetter', maxAhead: 3_600_000, idleAfter: 30_000, markerInterval: 1_000 },
    outputs: [output.node, other.node],
  })
  expect([made, made.options, made.outputs].every(Object.isFrozen)).toBe(true)
})

test('takes settings before the outputs', () => {
  const made = topology(
    'quests',
    { onError: 'fail', maxAhead: '2 hours', idleAfter: '5 seconds', markerInterval: '200ms' },
    output,
  )
  expect(made.options).toEqual({ onError: 'fail', maxAhead: 7_200_000, idleAfter: 5_000, markerInterval: 200 })
  expect(made.outputs).toEqual([output.node])
})
