import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { MillraceError } from '../../../src/model/errors.js'
import type { Flush, WarehouseSink } from '../../../src/ports/warehouse.js'
import { postgresWarehouse } from '../../../src/warehouse/postgres/postgres-warehouse.js'
import { flushOf, identityOf } from '../warehouse-contract.js'
import { BATCH, LOG_END, rowsOf, TABLE } from './quest-log.js'

// A process of its own, to be killed: writes the log's rows batch by batch from where the warehouse says, pausing between
// the computing and the writing of a batch, as a process does that is descheduled. `naive` writes rows, then the offset,
// and asks for no owner. At offset `stopAt` it stops itself (SIGSTOP) before it writes, until somebody wakes it up;
// it then writes what it had computed, and ends. Exit codes: 0 - the log's end was written; 3 - fenced; 5 - wrote late.
const [mode, url, stopAt] = process.argv.slice(2) as ['fenced' | 'naive', string, string]

async function naiveSink(): Promise<Pick<WarehouseSink, 'nextOffset' | 'flush'>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ next_offset: string }>('SELECT next_offset FROM naive_offsets')
  return {
    nextOffset: Number(rows[0]?.next_offset),
    async flush({ upserts, nextOffset }: Flush) {
      await client.query('BEGIN')
      for (const row of upserts) {
        await client.query(
          `INSERT INTO competing VALUES ($1, $2, $3, $4) ON CONFLICT (quest_type, window_start)
           DO UPDATE SET events = excluded.events, gold = excluded.gold`,
          [...row],
        )
      }
      await client.query('COMMIT')
      await client.query('UPDATE naive_offsets SET next_offset = $1', [nextOffset])
    },
  }
}

const sink = mode === 'naive' ? await naiveSink() : await postgresWarehouse({ url }).openSink(identityOf(TABLE))
try {
  for (let from = sink.nextOffset; from < LOG_END; from += BATCH) {
    const flush = flushOf(from + BATCH, rowsOf(from, from + BATCH))
    await sleep(Math.random() * 30)
    if (from === Number(stopAt)) process.kill(process.pid, 'SIGSTOP')
    await sink.flush(flush)
    if (from === Number(stopAt)) process.exit(5)
  }
  process.exit(0)
} catch (thrown) {
  if (thrown instanceof MillraceError && thrown.code === 'WAREHOUSE_FENCED') process.exit(3)
  console.error(thrown)
  process.exit(4)
}
