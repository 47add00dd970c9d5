import type { Predicate } from './measure.js'

type Test = (value: unknown) => boolean

/** A test for one expected value: numbers and bigints are equal by value, dates by instant, a missing field is null. */
function testFor(expected: unknown): Test {
  if (Array.isArray(expected)) {
    const tests = expected.map(testFor)
    return value => tests.some(test => test(value))
  }
  if (expected === null || expected === undefined) return value => value === null || value === undefined
  if (expected instanceof Date) {
    const time = expected.getTime()
    return value => (value instanceof Date ? value.getTime() === time : value === time)
  }
  if (typeof expected === 'number' || typeof expected === 'bigint') {
    // The language compares numbers with bigints exactly, also beyond 2^53.
    return value =>
      typeof value === 'number' || typeof value === 'bigint'
        ? value >= expected && value <= expected
        : value instanceof Date && value.getTime() === expected
  }
  return value => value === expected
}

/**
 * The function of a predicate. As data, all fields must match, a list matches any of its elements, and a null value
 * matches nothing.
 */
export function compilePredicate(predicate: Predicate): (value: unknown) => boolean {
  if (typeof predicate === 'function') return predicate as Test
  const tests = Object.entries(predicate).map(([field, expected]) => [field, testFor(expected)] as const)
  if (tests.length === 1) {
    const [field, test] = tests[0]!
    return value => value !== null && test((value as Readonly<Record<string, unknown>>)[field])
  }
  return value => {
    if (value === null) return false
    for (const [field, test] of tests) {
      if (!test((value as Readonly<Record<string, unknown>>)[field])) return false
    }
    return true
  }
}
