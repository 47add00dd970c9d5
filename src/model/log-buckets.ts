import { MillraceError } from './errors.js'

/** Absolute values below it are zero, and those above its inverse are as large as that. */
const SMALLEST = 1e-300
const FINEST = 0.0001
const COARSEST = 0.5

/** The accuracy of logarithmic buckets where none is given: 1 %. */
export const DEFAULT_ACCURACY = 0.01

/**
 * Buckets whose width grows with the values, so that any value is known within a relative accuracy from the number of its bucket alone.
 *
 * Bucket 0 holds zero. With γ = (1 + accuracy) / (1 - accuracy), the positive values of (γ^(i-1), γ^i] share the bucket i + `shift`, where
 * `shift` makes all of these numbers positive; a negative value has the negative number of its opposite. Numbers are ordered as
 * the values are. The value that stands for a bucket, γ^i (1 - accuracy), is within the accuracy of all values of it.
 *
 * Source: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees",
 * PVLDB 12 (2019), section 2.
 */
export class LogBuckets {
  /** Natural logarithm of γ. */
  readonly logGamma: number
  /** What the number of a positive bucket has more than its exponent. */
  readonly shift: number

  /** @throws MillraceError INVALID_OPTION when the accuracy is not from 0.0001 to 0.5. */
  constructor(readonly accuracy: number) {
    if (!(accuracy >= FINEST && accuracy <= COARSEST)) {
      throw new MillraceError(
        'INVALID_OPTION',
        `The accuracy of logBucket is ${accuracy}, but must be from ${FINEST} to ${COARSEST}: ` +
          `the largest relative error of a quantile. Leave it out for ${DEFAULT_ACCURACY}.`,
      )
    }
    this.logGamma = Math.log1p(accuracy) - Math.log1p(-accuracy)
    this.shift = 1 - Math.ceil(Math.log(SMALLEST) / this.logGamma)
  }

  /** The number of a value's bucket; NaN for NaN. */
  bucketOf(value: number): number {
    const size = Math.abs(value)
    if (size < SMALLEST) return 0
    const bucket = Math.ceil(Math.log(Math.min(size, 1 / SMALLEST)) / this.logGamma) + this.shift
    return value < 0 ? -bucket : bucket
  }

  /** The value that stands for a bucket. */
  valueOf(bucket: number): number {
    if (bucket === 0) return 0
    const size = Math.exp((Math.abs(bucket) - this.shift) * this.logGamma) * (1 - this.accuracy)
    return bucket < 0 ? -size : size
  }
}
