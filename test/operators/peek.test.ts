import { peek } from 'millrace'
import { expect, test } from 'vitest'
import { event, events } from './events.js'
import { record, run } from './run.js'

test('shows each record and passes it on', () => {
  const seen: unknown[] = []
  const one = record(event())
  const { out } = run(events.pipe(peek(shown => seen.push(shown))).node, [one])
  expect(out[0]).toBe(one)
  expect(seen[0]).toBe(one)
})

test('what it throws fails that record only', () => {
  const { node } = events.pipe(
    peek(({ value }) => {
      if (value.questType === 'bad') throw new Error('no')
    }),
  )
  const { out, failures } = run(node, [record(event({ questType: 'bad' })), record(event())])
  expect(out).toHaveLength(1)
  expect(failures).toEqual([{ node, thrown: new Error('no') }])
})
