import { type Duration, parseDuration } from '../model/duration.js'
import type { ErrorPolicy, Topology } from '../topology/node.js'
import type { Output } from './flow.js'

/** Settings of a topology. */
export interface TopologySettings {
  /**
   * What becomes of a record that cannot be decoded or whose processing throws: `'deadLetter'` (default) sends its bytes
   * to `<group>-dead-letters`, `'skip'` counts it, `'fail'` stops.
   */
  readonly onError?: ErrorPolicy
  /** Largest lead of a record's timestamp over the clock; a record further ahead is an error. Default `'1 hour'`. */
  readonly maxAhead?: Duration
  /** Time without a record after which a source partition stops holding windows open. Default `'30 seconds'`. */
  readonly idleAfter?: Duration
  /** Longest time between two time markers of a source partition whose time moves. Default `'1 second'`. */
  readonly markerInterval?: Duration
}

/**
 * A topology: its name is the consumer group and the prefix of all internal topics. Each output is a flow that ends with
 * `to(...)`. Building runs nothing.
 * @throws MillraceError INVALID_DURATION when a duration is none.
 */
export function topology<First extends TopologySettings | Output>(
  name: string,
  first: First,
  ...rest: First extends Output ? readonly Output[] : readonly [Output, ...Output[]]
): Topology {
  const settings: TopologySettings = 'node' in first ? {} : first
  const ends: readonly Output[] = 'node' in first ? [first, ...rest] : rest
  return Object.freeze({
    kind: 'topology',
    name,
    options: Object.freeze({
      onError: settings.onError ?? 'deadLetter',
      maxAhead: parseDuration(settings.maxAhead ?? '1 hour'),
      idleAfter: parseDuration(settings.idleAfter ?? '30 seconds'),
      markerInterval: parseDuration(settings.markerInterval ?? '1 second'),
    }),
    outputs: Object.freeze(ends.map(end => end.node)),
  })
}
