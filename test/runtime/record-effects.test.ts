import { describe, expect, it } from 'vitest'
import { type Effect, type EffectTarget, RecordEffects } from '../../src/runtime/record-effects.js'

class Target implements EffectTarget {
  readonly applied: number[] = []
  readonly turns: number[] = []

  constructor(private readonly refuse?: number) {}

  stage(effect: Effect, turn: number): void {
    this.turns.push(turn)
    if (effect.start === this.refuse) throw new Error('no')
  }

  apply(effect: Effect): void {
    this.applied.push(effect.start)
  }
}

function note(effects: RecordEffects, target: Target, ...starts: number[]): void {
  for (const start of starts) effects.next(target).start = start
}

describe('effects of records', () => {
  it('are staged, all of a record, before any is applied', () => {
    const effects = new RecordEffects()
    const target = new Target(3)
    note(effects, target, 1, 2, 3)
    expect(() => effects.stage(0, 3)).toThrow('no')
    expect(target.applied).toEqual([])
    effects.stage(0, 2)
    effects.apply(0, 2)
    expect(target.applied).toEqual([1, 2])
  })

  it('are cut off for a record that failed, and those before it stay', () => {
    const effects = new RecordEffects()
    const target = new Target()
    note(effects, target, 1, 2)
    const from = effects.length
    note(effects, target, 3, 4)
    effects.truncate(from)
    note(effects, target, 5)
    effects.apply(0, effects.length)
    expect(target.applied).toEqual([1, 2, 5])
  })

  it('have one turn a record, over all that stage records in the process', () => {
    const target = new Target()
    const [one, other] = [new RecordEffects(), new RecordEffects()]
    note(one, target, 1, 2, 3)
    note(other, target, 1)
    one.stage(0, 2)
    other.stage(0, 1)
    one.stage(2, 3)
    const [a, b, c, d] = target.turns
    expect(a).toBe(b)
    expect(new Set([a, c, d]).size).toBe(3)
  })

  it('keep nothing of a position when objects are used again', () => {
    const effects = new RecordEffects()
    const target = new Target()
    const position = { timestamp: 1, topic: 't', partition: 2, offset: 3, index: 4 }
    const effect = effects.next(target)
    effect.at(position)
    effect.staged = [1]
    expect(effect.position).toEqual(position)
    effects.clear()
    expect(effects.next(target)).toBe(effect)
    expect(effect.staged).toBeUndefined()
    expect(effects.length).toBe(1)
  })
})
