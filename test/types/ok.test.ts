import { expect, test } from 'vitest'
import { compile, textOf } from './compile.js'

test('topologies without an annotation compile, and their types are those that were meant', () => {
  expect(compile([textOf('ok.ts')])).toEqual([[]])
}, 120_000)

test('a type that is not the one meant would be found', () => {
  const text = textOf('ok.ts').replace('readonly g: number;', 'readonly g: string;')
  expect(compile([text])[0]).toHaveLength(1)
}, 120_000)
