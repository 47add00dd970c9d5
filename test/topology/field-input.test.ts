import { double } from 'millrace'
import { expect, test } from 'vitest'
import { compileInput } from '../../src/topology/field-input.js'

test('reads a field, or evaluates an expression', () => {
  expect(compileInput('gold')({ gold: 3 })).toBe(3)
  expect(compileInput(double((value: { gold: number }) => value.gold / 2))({ gold: 3 })).toBe(1.5)
})

test('gives null for a null value without calling the expression', () => {
  const broken = double((): number => {
    throw new Error('called')
  })
  expect([compileInput('gold')(null), compileInput(broken)(null)]).toEqual([null, null])
  expect(() => compileInput(broken)({})).toThrow('called')
})
