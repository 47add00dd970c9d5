import type { Node } from '../node.js'
import { type FieldShape, keyShape, valueShape } from '../shape.js'

function known<T>(shape: () => T): T | undefined {
  try {
    return shape()
  } catch {
    return undefined
  }
}

/** The value's shape; also undefined where a problem upstream, which is reported on its own, keeps it from being told. */
export function knownValueShape(node: Node): readonly FieldShape[] | undefined {
  return known(() => valueShape(node))
}

/** The key's shape, as {@link knownValueShape}. */
export function knownKeyShape(node: Node): readonly FieldShape[] | undefined {
  return known(() => keyShape(node))
}
