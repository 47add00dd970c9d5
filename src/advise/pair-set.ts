/** A set of pairs of 32-bit integers that is cleared at no cost: an open-addressed table whose entries carry a generation. */
export class PairSet {
  size = 0
  private generation = 1
  private mask: number
  private firsts: Int32Array
  private seconds: Int32Array
  private generations: Int32Array

  constructor(capacity = 1_024) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(2, 2 * capacity)))
    this.mask = slots - 1
    this.firsts = new Int32Array(slots)
    this.seconds = new Int32Array(slots)
    this.generations = new Int32Array(slots)
  }

  /** True where the pair was not there before. */
  add(first: number, second: number): boolean {
    const { mask, firsts, seconds, generations, generation } = this
    let slot = mixed(first, second) & mask
    while (generations[slot] === generation) {
      if (firsts[slot] === first && seconds[slot] === second) return false
      slot = (slot + 1) & mask
    }
    firsts[slot] = first
    seconds[slot] = second
    generations[slot] = generation
    if (2 * ++this.size > mask) this.grow()
    return true
  }

  clear(): void {
    this.size = 0
    this.generation++
  }

  visit(visitor: (first: number, second: number) => void): void {
    for (let slot = 0; slot <= this.mask; slot++) {
      if (this.generations[slot] === this.generation) visitor(this.firsts[slot] as number, this.seconds[slot] as number)
    }
  }

  private grow(): void {
    const larger = new PairSet(2 * (this.mask + 1))
    this.visit((first, second) => larger.add(first, second))
    this.mask = larger.mask
    this.firsts = larger.firsts
    this.seconds = larger.seconds
    this.generations = larger.generations
    this.generation = larger.generation
  }
}

function mixed(first: number, second: number): number {
  let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}
