import { expect, test } from 'vitest'
import { columnName, isNode, type SqlNode } from '../../src/advise/sql-ast.js'
import { sqlParser } from '../../src/advise/sql-parser.js'
import { boundGrain, DAY, HOUR, MINUTE, SECOND, timeGrain } from '../../src/advise/time-grain.js'

const parse = await sqlParser()

function expression(sql: string): SqlNode {
  const parsed = parse(`select ${sql} from t`)
  if ('problem' in parsed) throw new Error(parsed.problem)
  const [column] = parsed.statements[0]!.columns as readonly SqlNode[]
  if (!isNode(column?.expr)) throw new Error('no expression')
  return column.expr
}

test.each([
  ["date_trunc('hour', at)", HOUR],
  ["date_trunc('minute', at) - interval '1' minute", MINUTE],
  ["date_trunc('month', at)", DAY],
  ["date_trunc('week', at)", DAY],
  ['date(at)', DAY],
  ['cast(at as date)', DAY],
  ['at::date', DAY],
  ['extract(hour from at)', HOUR],
  ["date_part('minute', at)", MINUTE],
  ['hour(at)', HOUR],
  ['floor(extract(epoch from at) / 300)', 300 * SECOND],
  ['from_unixtime(floor(to_unixtime(at) / 900) * 900)', 900 * SECOND],
  ["date_trunc('hour', at) + interval '5' minute * floor(extract(minute from at) / 5)", 5 * MINUTE],
  ["date_bin('5 minutes', at, timestamp '2026-01-01')", 5 * MINUTE],
  ['at - at % 60000', MINUTE],
  ['at', 1],
  ['other', undefined],
  ["date_trunc('hour', other)", undefined],
])('%s looks at the time by %s ms', (sql, grain) => {
  expect(timeGrain(expression(sql), node => columnName(node) === 'at')).toBe(grain)
})

test.each([
  ["'2026-11-01'", DAY],
  ["timestamp '2026-11-01 00:00:00'", DAY],
  ["timestamp '2026-11-01 13:00:00'", HOUR],
  ["'2026-11-01 13:30:00'", MINUTE],
  ["'2026-11-01 23:59:59'", DAY],
  ["'2026-11-01 23:59:59.999'", DAY],
  ["now() - interval '2' hour", MINUTE],
  ["current_date - interval '7' day", DAY],
  ["current_date + interval '2' hour", HOUR],
  ["date_trunc('hour', now())", HOUR],
  ['$1', MINUTE],
])('the bound %s lies on %s ms', (sql, grain) => {
  expect(boundGrain(expression(sql))).toBe(grain)
})
