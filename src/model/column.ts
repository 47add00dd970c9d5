/**
 * Types of fields, key columns and measures, as `describe`, state, repartition topics and warehouse tables know them.
 *
 * `int` 32 bit, `long` 64 bit (a number up to 2^53, beyond it a bigint), `decimal` whole numbers of up to 38 digits,
 * `double`, `text`, `bool`, `timestamp` (ms since 1970, UTC), `bytes`.
 */
export type ColumnType = 'int' | 'long' | 'decimal' | 'double' | 'text' | 'bool' | 'timestamp' | 'bytes'

/** A named, typed column. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
  /**
   * Longest text or bytes in UTF-8 bytes; longer values are dead-lettered. Default: what the warehouse takes; in Redshift, which
   * declares lengths, 256.
   */
  readonly maxBytes?: number
}

/** What a column holds in memory. A `timestamp` is a Date in key columns and rows. */
export type ColumnValue = string | number | bigint | boolean | Date | Buffer | null

/** snake_case of a camelCase name: `rewardGold` gives `reward_gold`, `userID` gives `user_i_d`, as the type `Snake` does. */
export function snakeCase(name: string): string {
  return name.replace(/(?<!^)([A-Z])/g, '_$1').toLowerCase()
}
