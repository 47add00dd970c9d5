import { describe, expect, test } from 'vitest'
import { adviseKeys, type KeyAdvice, type RankedKey } from '../../src/advise/key-advice.js'
import { Sample, scalarFields } from '../../src/advise/sample.js'
import { activeUsers, oneQuestType, QUEST_KEYS, questSample, serde, uniqueQuestTypes } from './quest-samples.js'

const EVENTS = 200_000
/** As dense as 1,000,000 events in windows of a minute. */
const OPTIONS = { windowMs: 300_000, partitions: [8, 64], commitRecords: 10_000 }

const keyOf = (advice: KeyAdvice, name: string): RankedKey => advice.keys.find(({ key }) => key === name)!

describe('few quest types and a few very active users', () => {
  const advice = adviseKeys(questSample(EVENTS, activeUsers), OPTIONS)

  test('speak for quest type, over user id by far', () => {
    expect(advice.best).toBe('questType')
    expect(keyOf(advice, 'questType').score).toBeGreaterThan(5 * keyOf(advice, 'userId').score)
    expect(advice.verdict).toMatch(/^Partition by questType: 20 values.* Today's key is userId/)
  })

  test('quest type is skewed and fine where it is combined; users are not', () => {
    const at64 = (name: string) => keyOf(advice, name).skews.find(({ partitions }) => partitions === 64)!
    expect(at64('questType').skew).toBeGreaterThan(10)
    expect(at64('questType').combinedLoad).toBeLessThan(1)
    expect(at64('userId').skew).toBeGreaterThan(4)
    expect(keyOf(advice, 'questType').shrink).toBeGreaterThan(10)
  })

  test('the very active users are warned of by name, with their shares', () => {
    const warning = advice.warnings.find(text => text.startsWith('userId has hot keys'))
    expect(warning).toMatch(/"whale-\d" 6\.\d %, "whale-\d" 6\.\d %, "whale-\d" 6\.\d % of all events/)
  })

  test("the records' own key is recognised as a field", () => {
    expect(advice.messageKey?.sameAs).toBe('userId')
    expect(advice.messageKey?.skews[0]?.skew).toBeGreaterThan(1.1)
  })

  test('figures are those of the events', () => {
    const { cardinality, cardinalityExact, hottest, rows } = keyOf(advice, 'questType')
    expect([cardinality, cardinalityExact, hottest[0]?.key]).toEqual([20, true, 'hunt'])
    expect(hottest[0]?.share).toBeCloseTo(0.278, 2)
    // 72 windows of 5 minutes, and two more by events that are early and late.
    expect(rows).toBeGreaterThanOrEqual(20 * 72)
    expect(rows).toBeLessThanOrEqual(20 * 74)
    const unique = keyOf(advice, 'eventId')
    expect(unique.cardinalityExact).toBe(false)
    expect(Math.abs(unique.cardinality / EVENTS - 1)).toBeLessThan(0.03)
    expect(advice.warnings).toContainEqual(expect.stringMatching(/^eventId is different in nearly every event/))
  })
})

describe.each([
  ['one quest type takes nearly everything', oneQuestType],
  ['quest types are nearly unique', uniqueQuestTypes],
])('%s, and users are even', (_, change) => {
  test('speaks for user id over quest type', () => {
    const advice = adviseKeys(questSample(EVENTS, change), { ...OPTIONS, keys: QUEST_KEYS })
    expect(advice.best).toBe('userId')
    expect(keyOf(advice, 'userId').score).toBeGreaterThan(2 * keyOf(advice, 'questType').score)
    expect(advice.warnings.filter(text => text.startsWith('userId has hot keys'))).toEqual([])
  })
})

describe('awkward events', () => {
  const schema = {
    type: 'record',
    name: 'Odd',
    fields: [
      { name: 'kind', type: ['null', 'string'], default: null },
      { name: 'notes', type: 'string' },
      { name: 'level', type: 'int' },
    ],
  }
  const sample = (count: number, value: (i: number) => Record<string, unknown>): Sample => {
    const made = new Sample(scalarFields(schema), serde)
    for (let i = 0; i < count; i++) made.add(value(i), null, i % 4, i * 1_000)
    return made
  }

  test('nulls, blanks, long values and spellings are said', () => {
    const events = sample(2_000, i => ({
      kind: i % 4 === 0 ? null : i % 4 === 1 ? 'Hunt' : 'hunt ',
      notes: i % 2 === 0 ? ' ' : 'é'.repeat(200),
      level: i % 10,
    }))
    const { warnings, messageKey, keys } = adviseKeys(events, OPTIONS)
    expect(warnings).toEqual(
      expect.arrayContaining([
        'kind is null in 25 % of the events: they have no key and are left out of its rollups.',
        'kind has values that differ in case or spaces only, such as "Hunt" and "hunt ".',
        'notes is blank text in 50 % of the events, all of which are one key.',
        expect.stringMatching(/^notes has values of up to 400 bytes/),
      ]),
    )
    expect(messageKey).toBeUndefined()
    expect(keys.find(({ key }) => key === 'kind')?.factors.filled).toBeCloseTo(0.75)
  })

  test('where no key is of use, that is the answer', () => {
    const { best, verdict } = adviseKeys(
      sample(500, i => ({ kind: null, notes: 'x', level: i })),
      OPTIONS,
    )
    expect(best).toBeUndefined()
    expect(verdict).toMatch(/^No key makes a useful rollup/)
  })

  test('no events are refused in a sentence', () => {
    expect(() =>
      adviseKeys(
        sample(0, () => ({})),
        OPTIONS,
      ),
    ).toThrow('There are no events to judge keys by.')
  })
})
