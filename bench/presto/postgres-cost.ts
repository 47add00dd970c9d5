import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { cpuOfTree, descendants, parentOf, titleOf } from '../process-tree.js'

const SAMPLE_EVERY_MS = 20
const GONE_WITHIN_MS = 10_000

/** What PostgreSQL spent since its start. */
export interface PostgresSpent {
  /** User and system time of all its processes, in seconds. */
  readonly cpuSeconds: number
  /** Blocks of 8 KB that its sessions looked at, in memory or not: of tables, indexes and the catalog. */
  readonly blocks: number
}

/**
 * Watches a PostgreSQL server on this machine from outside: its processes in /proc and its own statistics. The sessions
 * of one user are those of the analysts.
 */
export class PostgresCost {
  private constructor(
    private readonly client: pg.Client,
    private readonly server: number,
    private readonly analyst: string,
  ) {}

  static async of(url: string, analyst: string): Promise<PostgresCost> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
    return new PostgresCost(client, parentOf(rows[0].pid as number), analyst)
  }

  /** Waits for the analysts' sessions to end, since a session reports its blocks then, and answers what was spent. */
  async spent(): Promise<PostgresSpent> {
    const deadline = Date.now() + GONE_WITHIN_MS
    while (this.sessions() > 0) {
      if (Date.now() > deadline) throw new Error(`Sessions of ${this.analyst} do not end, so their blocks are unknown.`)
      await sleep(SAMPLE_EVERY_MS)
    }
    const { rows } = await this.client.query(
      'SELECT (blks_hit + blks_read)::float8 AS blocks FROM pg_stat_database WHERE datname = current_database()',
    )
    return { cpuSeconds: cpuOfTree(this.server), blocks: rows[0].blocks as number }
  }

  /** Runs `work` and answers the most sessions that analysts had at once meanwhile, seen every 20 ms. */
  async peakSessions<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly peak: number }> {
    let peak = 0
    const sampling = setInterval(() => {
      peak = Math.max(peak, this.sessions())
    }, SAMPLE_EVERY_MS)
    try {
      return { result: await work(), peak }
    } finally {
      clearInterval(sampling)
    }
  }

  close(): Promise<void> {
    return this.client.end()
  }

  private sessions(): number {
    return descendants(this.server).filter(pid => titleOf(pid).startsWith(`postgres: ${this.analyst} `)).length
  }
}
