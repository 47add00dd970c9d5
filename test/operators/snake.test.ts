import fc from 'fast-check'
import { expect, expectTypeOf, test } from 'vitest'
import { snakeCase } from '../../src/model/column.js'
import type { Columns, Snake } from '../../src/operators/snake.js'

test('the type and the function agree', () => {
  const names = {
    rewardGold: 'reward_gold',
    userID: 'user_i_d',
    p95Ms: 'p95_ms',
    windowStart: 'window_start',
    X: 'x',
    already_snake: 'already_snake',
  } as const satisfies { [N in string]: Snake<N> }
  expectTypeOf<Snake<'rewardGold'>>().toEqualTypeOf<'reward_gold'>()
  expectTypeOf<Snake<'userID'>>().toEqualTypeOf<'user_i_d'>()
  expectTypeOf<Snake<'p95Ms'>>().toEqualTypeOf<'p95_ms'>()
  expectTypeOf<Snake<'X'>>().toEqualTypeOf<'x'>()
  expectTypeOf<Columns<{ questType: 1 }, { rewardGold: 1 }>>().toEqualTypeOf<'quest_type' | 'reward_gold'>()
  for (const [name, snake] of Object.entries(names)) expect(snakeCase(name)).toBe(snake)
})

/** The rule of the type, letter by letter. */
function snakeAsTyped(name: string): string {
  if (name === '') return ''
  const [head, ...tail] = name
  const rest = tail.join('')
  const breaks = rest.charAt(0) !== rest.charAt(0).toLowerCase()
  return `${(head as string).toLowerCase()}${breaks ? '_' : ''}${snakeAsTyped(rest)}`
}

test('they agree on any name', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,12}$/), name => {
      expect(snakeCase(name)).toBe(snakeAsTyped(name))
    }),
  )
})
