import { describe, expect, it } from 'vitest'
import { mendable } from '../../src/worker/mendable.js'

describe('mendable', () => {
  it.each([undefined, 'LOG', 'LOG_FENCED', 'STORE', 'STORE_IN_USE', 'WAREHOUSE', 'REGISTRY', 'ERR_OUT_OF_RANGE'])(
    'a restart may mend %s',
    code => expect(mendable(code)).toBe(true),
  )

  it.each([
    'MISSING_TOPIC',
    'LOG_REFUSED',
    'INVALID_OPTION',
    'STATE_INCOMPATIBLE',
    'WAREHOUSE_FENCED',
    'USER_CODE',
    'LOAD',
  ])('no restart mends %s', code => expect(mendable(code)).toBe(false))
})
