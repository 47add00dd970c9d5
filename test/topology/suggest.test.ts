import { expect, test } from 'vitest'
import { nearest, suggestion } from '../../src/topology/suggest.js'

test('the nearest name is guessed, case ignored', () => {
  const known = ['questType', 'eventType', 'rewardGold']
  expect(nearest('questtype', known)).toBe('questType')
  expect(nearest('rewardGld', known)).toBe('rewardGold')
  expect(nearest('evenType', known)).toBe('eventType')
})

test('nothing is guessed when all names are far', () => {
  expect(nearest('region', ['questType', 'rewardGold'])).toBeUndefined()
  expect(nearest('x', [])).toBeUndefined()
})

test('a suggestion lists what is known', () => {
  expect(suggestion('gld', ['gold', 'type'])).toBe('Did you mean "gold"? Known are gold, type.')
  expect(suggestion('zzz', ['gold', 'type'])).toBe('Known are gold, type.')
  expect(suggestion('zzz', [])).toBe('There is none.')
})
