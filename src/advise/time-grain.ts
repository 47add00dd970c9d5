import { argumentsOf, childrenOf, functionName, literalOf, type SqlNode } from './sql-ast.js'

export const SECOND = 1_000
export const MINUTE = 60_000
export const HOUR = 3_600_000
export const DAY = 86_400_000

/** Months and quarters have no length of their own: days add up to them. So do weeks, whatever day they begin with. */
const UNITS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: SECOND,
  epoch: SECOND,
  minute: MINUTE,
  hour: HOUR,
}

function unitLength(unit: unknown): number {
  const name = String(unit).toLowerCase().replace(/s$/, '')
  return UNITS[name] ?? DAY
}

/** Functions that tell the seconds since 1970. */
const EPOCHS = new Set(['to_unixtime', 'unix_timestamp', 'epoch'])
/** Functions of a time that are named after their unit, as Trino has them. */
const PARTS = new Set(
  'second minute hour day week month quarter year day_of_week dow day_of_month day_of_year doy year_of_week yow'.split(
    ' ',
  ),
)

/** Ms of `'5 minutes'`, `interval '5' minute`, `300`. */
function lengthOf(node: SqlNode | undefined): number | undefined {
  if (node === undefined) return undefined
  if (node.type === 'interval') {
    const text = `${literalOf(node.expr) ?? ''} ${node.unit ?? ''}`
    return lengthOfText(text)
  }
  const literal = literalOf(node)
  return typeof literal === 'string' ? lengthOfText(literal) : undefined
}

function lengthOfText(text: string): number | undefined {
  const [, count = '', unit = ''] = /^\s*(\d+)\s*([a-z]+)/i.exec(text) ?? []
  return count === '' ? undefined : Number(count) * unitLength(unit)
}

function least(grains: readonly (number | undefined)[]): number | undefined {
  const known = grains.filter(grain => grain !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

/**
 * How finely an expression looks at the event time, in ms: 1 where it takes the time as it is, `HOUR` for
 * `date_trunc('hour', t)`, 300,000 for `floor(extract(epoch from t) / 300)`; undefined where it has nothing to do with it.
 */
export function timeGrain(node: SqlNode, isTime: (node: SqlNode) => boolean): number | undefined {
  if (isTime(node)) return 1
  const inside = () => least(childrenOf(node).map(child => timeGrain(child, isTime)))
  const name = functionName(node)
  const args = argumentsOf(node)
  if (name === 'date_trunc' || name === 'date_part') {
    const of = args.slice(1).some(arg => timeGrain(arg, isTime) !== undefined)
    return of ? unitLength(literalOf(args[0])) : undefined
  }
  if (name === 'date_bin' || name === 'time_bucket')
    return inside() === undefined ? undefined : (lengthOf(args[0]) ?? 1)
  if (node.type === 'extract') {
    const { field } = node.args as SqlNode
    return inside() === undefined ? undefined : unitLength(field)
  }
  if (name !== undefined && EPOCHS.has(name)) return inside() === undefined ? undefined : SECOND
  if (name !== undefined && (PARTS.has(name) || name === 'date'))
    return inside() === undefined ? undefined : unitLength(name)
  if (node.type === 'cast') {
    const grain = inside()
    return grain !== undefined && castsToDate(node) ? Math.max(grain, DAY) : grain
  }
  if (node.type === 'binary_expr') return ofArithmetic(node, isTime) ?? inside()
  return inside()
}

function castsToDate({ target }: SqlNode): boolean {
  const targets = Array.isArray(target) ? target : [target]
  return targets.some(one => String((one as SqlNode | undefined)?.dataType).toLowerCase() === 'date')
}

/** `t / 300` looks 300 times as coarsely as `t`, and so does `t - t % 300`. */
function ofArithmetic(node: SqlNode, isTime: (node: SqlNode) => boolean): number | undefined {
  const { operator, left, right } = node as { operator: string; left: SqlNode; right: SqlNode }
  if (operator === '/') {
    const grain = timeGrain(left, isTime)
    const by = literalOf(right)
    return grain !== undefined && typeof by === 'number' && by >= 1 ? grain * by : undefined
  }
  if (operator === '-' && right?.type === 'binary_expr' && right.operator === '%') {
    const grain = timeGrain(right.left as SqlNode, isTime)
    const by = literalOf(right.right)
    return grain !== undefined && typeof by === 'number' ? grain * by : undefined
  }
  return undefined
}

/** The coarsest of day, hour and minute that a bound lies on; a minute for what is known only when it runs, such as `now()`. */
export function boundGrain(bound: SqlNode): number {
  const literal = literalOf(bound)
  const text = typeof literal === 'string' ? literal : castText(bound)
  if (text !== undefined) return alignment(text)
  if (typeof literal === 'number') return alignment(new Date(literal).toISOString())
  const name = functionName(bound)
  if (name === 'current_date') return DAY
  if (name === 'date_trunc') return unitLength(literalOf(argumentsOf(bound)[0]))
  if (bound.type === 'binary_expr' && (bound.operator === '+' || bound.operator === '-')) {
    const interval = lengthOf(bound.right as SqlNode)
    return Math.min(boundGrain(bound.left as SqlNode), interval === undefined ? MINUTE : wholeGrain(interval))
  }
  return MINUTE
}

function castText(node: SqlNode): string | undefined {
  const text = node.type === 'cast' ? literalOf(node.expr) : undefined
  return typeof text === 'string' ? text : undefined
}

/** `23:59:59` and `23:59:59.999` are the end of a minute, an hour and a day. */
function alignment(text: string): number {
  const time = Date.parse(
    /[zZ]|[+-]\d\d:?\d\d$/.test(text) || !/\d:\d/.test(text) ? text : `${text.trim().replace(' ', 'T')}Z`,
  )
  if (Number.isNaN(time)) return MINUTE
  const end = Math.ceil((time + 1) / SECOND) * SECOND
  return Math.max(wholeGrain(time), /:59(\.9+)?/.test(text) ? wholeGrain(end) : MINUTE)
}

function wholeGrain(ms: number): number {
  return ms % DAY === 0 ? DAY : ms % HOUR === 0 ? HOUR : MINUTE
}
