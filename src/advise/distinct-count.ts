import { HyperLogLog } from '../aggregates/hyper-log-log.js'
import { murmur3Long } from '../aggregates/murmur3.js'
import { PairSet } from './pair-set.js'

/** Pairs counted exactly. */
const EXACT = 262_144
/** 2^14 registers: a relative standard error of 0.8 %. */
const INDEX_BITS = 14

/** The number of different pairs of 32-bit integers: exact up to 262,144, beyond it by HyperLogLog (error 0.8 %). */
export class DistinctCount {
  private pairs: PairSet | undefined = new PairSet()
  private sketch: HyperLogLog | undefined
  private readonly hash = new Int32Array(2)

  add(first: number, second: number): void {
    if (this.pairs) {
      if (this.pairs.add(first, second) && this.pairs.size > EXACT) this.estimateFromNow(this.pairs)
    } else this.addHash(first, second)
  }

  get exact(): boolean {
    return this.sketch === undefined
  }

  get count(): number {
    return this.pairs?.size ?? this.sketch?.estimate() ?? 0
  }

  private estimateFromNow(pairs: PairSet): void {
    this.sketch = new HyperLogLog(INDEX_BITS)
    this.pairs = undefined
    pairs.visit((first, second) => this.addHash(first, second))
  }

  private addHash(first: number, second: number): void {
    murmur3Long(first, second, this.hash)
    this.sketch?.add(this.hash[0] as number, this.hash[1] as number)
  }
}
