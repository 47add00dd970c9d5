const SPARSE_BUCKETS = 2 ** 26
const ALPHA = 1 / (2 * Math.LN2)

const histogram = new Int32Array(64)

/** Linear counting over 2^26 buckets of which `occupied` are not empty (as Airlift): exact to a fraction for small counts. */
export function sparseEstimate(occupied: number): number {
  return SPARSE_BUCKETS * Math.log(SPARSE_BUCKETS / (SPARSE_BUCKETS - occupied))
}

/**
 * The number of different hashes behind registers, with a relative standard error of 1.04 / √registers at every size, and
 * without the tables of measured biases that other estimators need.
 *
 * Source: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6 (improved raw estimator).
 */
export function denseEstimate(registers: Uint8Array, indexBits: number): number {
  const size = registers.length
  const largest = 64 - indexBits
  histogram.fill(0)
  for (let i = 0; i < size; i++) (histogram[registers[i] as number] as number)++
  let z = size * tau(1 - (histogram[largest + 1] as number) / size)
  for (let value = largest; value >= 1; value--) z = 0.5 * (z + (histogram[value] as number))
  z += size * sigma((histogram[0] as number) / size)
  return (ALPHA * size * size) / z
}

/** x + Σ x^(2^k) 2^(k-1), for registers that are zero. */
function sigma(x: number): number {
  if (x === 1) return Infinity
  let power = x
  let factor = 1
  let sum = x
  for (let before = Number.NaN; sum !== before; factor += factor) {
    power *= power
    before = sum
    sum += power * factor
  }
  return sum
}

/** (1 - x - Σ (1 - x^(2^-k))² 2^-k) / 3, for registers that are full. */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0
  let root = x
  let factor = 1
  let sum = 1 - x
  for (let before = Number.NaN; sum !== before; ) {
    root = Math.sqrt(root)
    before = sum
    factor *= 0.5
    sum -= (1 - root) ** 2 * factor
  }
  return sum / 3
}
