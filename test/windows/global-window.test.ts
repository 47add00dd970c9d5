import { expect, it } from 'vitest'
import { globalWindow } from '../../src/windows/global-window.js'

it('the global window has no end', () => {
  expect(globalWindow()).toEqual({ type: 'global', size: Infinity, advance: Infinity, grace: 0 })
  expect(Object.isFrozen(globalWindow())).toBe(true)
})
