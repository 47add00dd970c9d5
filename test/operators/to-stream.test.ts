import { aggregate, count, toStream, tumbling, window } from 'millrace'
import { expect, test } from 'vitest'
import { STREAM } from '../../src/operators/flow.js'
import { events } from './events.js'

test('makes a stream of a table', () => {
  const table = events.pipe(window(tumbling('1 minute')), aggregate('n', { c: count() }))
  const rows = table.pipe(toStream())
  expect(rows.state).toBe(STREAM)
  expect(rows.node).toEqual({ kind: 'to-stream', inputs: [table.node] })
  expect(Object.isFrozen(rows.node)).toBe(true)
})
