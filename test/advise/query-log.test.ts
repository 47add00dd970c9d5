import { expect, test } from 'vitest'
import { parseCsv } from '../../src/advise/csv.js'
import { readQueryLog } from '../../src/advise/query-log.js'
import { splitStatements } from '../../src/advise/sql-statements.js'

test('statements end at a semicolon outside of text, names and comments', () => {
  const text = `-- a; comment
    select ';' as "a;b" /* ; */ from t; ;
    select $x$ ; $x$;
    select 'it''s; one'`
  expect(splitStatements(text)).toEqual([
    'select \';\' as "a;b" /* ; */ from t',
    'select $x$ ; $x$',
    "select 'it''s; one'",
  ])
})

test('a CSV holds quotes, separators and line breaks in quotes', () => {
  expect(parseCsv('\ufeffA;b\r\n1;"x;""y""\nz"\r\n\r\n2;')).toEqual([
    { a: '1', b: 'x;"y"\nz' },
    { a: '2', b: '' },
  ])
})

test('an export of pg_stat_statements has calls and ms over all calls', () => {
  const csv =
    'userid,queryid,query,calls,total_exec_time,rows\n10,77,"select a, b from t",4,120.5,9\n10,78,select 1,1,300,1\n'
  expect(readQueryLog(csv, 'pg_stat_statements.csv')).toEqual({
    unit: 'ms',
    queries: [
      { sql: 'select 1', calls: 1, cost: 300 },
      { sql: 'select a, b from t', calls: 4, cost: 120.5 },
    ],
  })
})

test('an export of stl_query has a number as query, text as querytxt, and start and end', () => {
  const csv = [
    'userid,query,querytxt,starttime,endtime,aborted',
    '100,1,select 1 from t,2026-11-01 10:00:00.000,2026-11-01 10:00:02.500,0',
    '100,2,"select 1\n from t;",2026-11-01 10:00:00,2026-11-01 10:00:01,0',
  ].join('\n')
  expect(readQueryLog(csv, 'stl_query.csv')).toEqual({
    unit: 'ms',
    queries: [{ sql: 'select 1 from t', calls: 2, cost: 3_500 }],
  })
})

test('sys_query_history counts microseconds', () => {
  const csv = 'query_id,query_text,execution_time\n1,select 1,2000\n'
  expect(readQueryLog(csv, 'x.csv').queries).toEqual([{ sql: 'select 1', calls: 1, cost: 2 }])
})

test('what holds no statement is refused by the name of the file', () => {
  expect(() => readQueryLog('-- nothing', 'empty.sql')).toThrow('--sql empty.sql holds no statement.')
  expect(() => readQueryLog('a,b\n1,2\n', 'odd.csv')).toThrow('--sql odd.csv has no column of statements')
})
