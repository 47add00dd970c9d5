import type { WindowNode, WindowSpec } from '../topology/node.js'
import { Flow, type Operator, type Stream, WINDOWED, type Windowed, type WindowedStream } from './flow.js'

/** Cuts a stream into windows: `tumbling(...)`, `hopping(...)` or `globalWindow()`, which has no window columns. */
export function window<K, V, W extends WindowSpec>(
  spec: W,
): Operator<Stream<K, V>, WindowedStream<W['type'] extends 'global' ? K : Windowed<K>, V>> {
  return input => {
    const node: WindowNode = Object.freeze({
      kind: 'window',
      inputs: Object.freeze([input.node]),
      window: Object.freeze({ ...spec }),
    })
    return new Flow(WINDOWED, node)
  }
}
