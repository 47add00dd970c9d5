import { globalWindow, tumbling, window } from 'millrace'
import { expect, test } from 'vitest'
import { WINDOWED } from '../../src/operators/flow.js'
import { events } from './events.js'

test('holds the window', () => {
  const minutes = events.pipe(window(tumbling('1 minute', { grace: '30 seconds' })))
  expect(minutes.state).toBe(WINDOWED)
  expect(minutes.node).toEqual({
    kind: 'window',
    inputs: [events.node],
    window: { type: 'tumbling', size: 60_000, advance: 60_000, grace: 30_000 },
  })
  expect(Object.isFrozen(minutes.node)).toBe(true)
  expect(events.pipe(window(globalWindow())).node).toMatchObject({ window: { type: 'global', size: Infinity } })
})
