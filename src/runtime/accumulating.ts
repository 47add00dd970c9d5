import type { Combiner, Partial } from './combiner.js'
import type { Accumulator, MeasureProgram } from './measure-program.js'
import type { Effect, EffectTarget } from './record-effects.js'
import type { Cell, WindowTable } from './window-table.js'

/**
 * Custom states of accumulators that effects of the record in hand already went through, so that the second effect on
 * the same accumulator (a flatMap) sees the first one's.
 */
class Staging {
  private readonly staged = new Map<Accumulator, unknown[] | null>()
  private turn = 0

  stage(program: MeasureProgram, accumulator: Accumulator, effect: Effect, turn: number): void {
    if (turn !== this.turn) {
      this.staged.clear()
      this.turn = turn
    }
    const staged = this.staged.get(accumulator)
    const states = staged === undefined ? accumulator.states : (staged ?? undefined)
    effect.staged = program.stage(states, effect.inputs, effect.position)
    this.staged.set(accumulator, effect.staged)
  }
}

/** Adds records to the windows of a table. */
export class TableTarget implements EffectTarget {
  private readonly staging = new Staging()
  readonly stage?: (effect: Effect, turn: number) => void

  constructor(private readonly table: WindowTable) {
    if (table.program.custom) {
      this.stage = (effect, turn) => {
        this.staging.stage(table.program, this.cell(effect), effect, turn)
      }
    }
  }

  private cell(effect: Effect): Cell {
    return this.table.cell(effect.start, effect.key)
  }

  apply(effect: Effect): void {
    const cell = this.cell(effect)
    this.table.program.add(cell, effect.inputs, effect.staged, effect.position, effect.timestamp)
    this.table.touch(cell)
  }
}

/** Adds records to the partials of a combiner. */
export class CombinerTarget implements EffectTarget {
  private readonly staging = new Staging()
  readonly stage?: (effect: Effect, turn: number) => void

  constructor(private readonly combiner: Combiner) {
    if (combiner.program.custom) {
      this.stage = (effect, turn) => {
        this.staging.stage(combiner.program, this.partial(effect), effect, turn)
      }
    }
  }

  private partial(effect: Effect): Partial {
    return this.combiner.partial(effect.start, effect.key)
  }

  apply(effect: Effect): void {
    const partial = this.partial(effect)
    this.combiner.program.add(partial, effect.inputs, effect.staged, effect.position, effect.timestamp)
    partial.records++
    if (partial.states === undefined) partial.reset = true
  }
}
