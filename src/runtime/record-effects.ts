import type { Position } from '../topology/measure.js'
import type { KeyEntry } from './key-codec.js'

/** Counts the records that were staged in this process, so that a target can tell them apart. */
let turn = 0

/** Where an effect goes. */
export interface EffectTarget {
  /**
   * Runs the user code of an effect without changing anything; what it throws is the record's failure.
   * Effects of one record are staged in order before any is applied; `turn` is the same for all of them and another
   * one for each record.
   */
  stage?(effect: Effect, turn: number): void
  apply(effect: Effect): void
}

/** What one record does to one target. Objects are reused: a target must not keep them. */
export class Effect {
  target!: EffectTarget
  /** Window start, where the effect is on a window. */
  start = 0
  timestamp = 0
  key!: KeyEntry
  inputs: unknown[] = []
  staged: unknown[] | null | undefined
  /** Bytes to send, where the effect is a record for an output or internal topic. */
  keyBytes: Buffer | null = null
  value: Buffer | null = null
  readonly position = { timestamp: 0, topic: '', partition: 0, offset: 0, index: 0 }

  at(position: Position): void {
    const { position: own } = this
    own.timestamp = position.timestamp
    own.topic = position.topic
    own.partition = position.partition
    own.offset = position.offset
    own.index = position.index
  }
}

/**
 * The effects of records that were processed and not applied yet. A record that fails leaves none: its effects are cut
 * off again, so "dead-lettered" means that nothing of it remains.
 */
export class RecordEffects {
  private readonly pool: Effect[] = []
  length = 0

  next(target: EffectTarget): Effect {
    let effect = this.pool[this.length]
    if (effect === undefined) {
      effect = new Effect()
      this.pool.push(effect)
    }
    this.length++
    effect.target = target
    effect.staged = undefined
    return effect
  }

  truncate(length: number): void {
    this.length = length
  }

  /** Runs the user code of effects `[from, to)`, those of one record. Throws what it throws; then nothing has changed. */
  stage(from: number, to: number): void {
    turn++
    for (let i = from; i < to; i++) {
      const effect = this.pool[i]!
      effect.target.stage?.(effect, turn)
    }
  }

  /** Applies effects that were staged. */
  apply(from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const effect = this.pool[i]!
      effect.target.apply(effect)
    }
  }

  clear(): void {
    this.length = 0
  }
}
