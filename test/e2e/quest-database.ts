import pg from 'pg'
import { cellId, type QuestCell, type QuestCells } from './quest-cells.js'

/** A database of its own for one test, and what stands in the table `quest_minute` of the schema of its name. */
export class QuestDatabase {
  private constructor(
    readonly url: string,
    private readonly pool: pg.Pool,
  ) {}

  static async create(server: string, name: string): Promise<QuestDatabase> {
    const admin = new pg.Client({ connectionString: server })
    await admin.connect()
    await admin.query(`CREATE DATABASE ${name}`)
    await admin.end()
    const url = server.replace(/[^/]*$/, name)
    const pool = new pg.Pool({ connectionString: url, max: 2, options: `-c search_path=${name}` })
    pool.on('error', () => undefined)
    return new QuestDatabase(url, pool)
  }

  async query(sql: string, values: readonly unknown[] = []): Promise<Record<string, string | null>[]> {
    const { rows } = await this.pool.query(sql, [...values])
    return rows
  }

  /** Events in all cells; 0 while the table does not exist. */
  async events(): Promise<number> {
    const [exists] = await this.query(`SELECT to_regclass('quest_minute')::text AS name`)
    if (!exists?.name) return 0
    const [row] = await this.query('SELECT coalesce(sum(events), 0)::text AS events FROM quest_minute')
    return Number(row?.events)
  }

  async cells(): Promise<QuestCells> {
    const rows = await this.query(
      `SELECT quest_type, (extract(epoch FROM window_start) * 1000)::bigint::text AS start, events::text,
         completions::text, gold::text, slowest_ms::text, players::text FROM quest_minute`,
    )
    const cells = new Map<string, QuestCell>()
    for (const row of rows) {
      cells.set(cellId(row.quest_type as string, Number(row.start)), {
        events: Number(row.events),
        completions: Number(row.completions),
        gold: Number(row.gold),
        slowestMs: Number(row.slowest_ms),
        players: Number(row.players),
      })
    }
    return cells
  }

  close(): Promise<void> {
    return this.pool.end()
  }
}
