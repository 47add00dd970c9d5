import { MillraceError } from '../../model/errors.js'
import type { ObjectStore } from '../../ports/object-store.js'
import type { Row } from '../../ports/warehouse.js'
import type { SqlSession } from '../sql/session.js'
import { type CopySource, copyStatement, manifestOf } from './copy-statement.js'
import { csvParts } from './csv-part.js'
import type { CopyCredentials } from './redshift-options.js'
import { createStage, insertStatements, type Stage } from './stage.js'

/** By what rows get into Redshift. */
export interface LoadSettings {
  readonly objectStore: ObjectStore
  readonly copyCredentials: CopyCredentials
  readonly region: string | undefined
  readonly copyFromRows: number
}

/** Rows of a flush that are ready to go into their stage: as statements, or as objects in the object store. */
export class StagedRows {
  private readonly keys: string[] = []
  private readonly copied: readonly Row[]
  private readonly inserts: readonly string[]
  private source: CopySource | undefined

  constructor(
    readonly stage: Stage,
    readonly rows: readonly Row[],
    private readonly settings: LoadSettings,
  ) {
    const statements = rows.length < settings.copyFromRows ? [...insertStatements(stage, rows)] : undefined
    if (statements && statements.length <= 1) {
      this.copied = []
      this.inserts = statements
      return
    }
    // COPY reads empty fields as NULL, those of VARCHAR excepted: copy-parameters-data-conversion.html, EMPTYASNULL.
    const [copied, inserted] = [[] as Row[], [] as Row[]]
    for (const row of rows) (hasEmptyBytes(row) ? inserted : copied).push(row)
    this.copied = copied
    this.inserts = [...insertStatements(stage, inserted)]
  }

  /** Puts the objects, whose keys begin with `prefix`: a flush that is repeated overwrites its own. */
  async upload(prefix: string): Promise<void> {
    if (this.copied.length === 0) return
    const { objectStore } = this.settings
    const put = async (name: string, body: Buffer) => {
      const key = `${prefix}/${this.stage.name}-${name}`
      this.keys.push(key)
      await objectStore.put(key, body)
      return objectStore.url(key)
    }
    const { nullAs, parts } = csvParts(this.copied)
    const urls: string[] = []
    for await (const part of parts) urls.push(await put(`${urls.length}.csv.gz`, part))
    this.source = { manifest: await put('manifest.json', manifestOf(urls)), nullAs }
  }

  /** Creates the stage and fills it. @throws MillraceError WAREHOUSE when COPY loaded another number of rows. */
  async fill(session: SqlSession): Promise<void> {
    await createStage(session, this.stage)
    const { name } = this.stage
    if (this.source) {
      const { copyCredentials, region } = this.settings
      await session.query(await copyStatement(name, this.source, copyCredentials, region))
      const { rows } = await session.query('SELECT pg_last_copy_count()')
      const loaded = Number(rows[0]?.[0])
      if (loaded !== this.copied.length) {
        throw new MillraceError(
          'WAREHOUSE',
          `COPY loaded ${loaded} of ${this.copied.length} rows from ${this.source.manifest}. Nothing else may write there.`,
        )
      }
    }
    for (const statement of this.inserts) await session.query(statement)
  }

  /** Deletes the objects. What is left behind by a failure is harmless: nobody reads it again. */
  async discard(): Promise<void> {
    if (this.keys.length > 0) await this.settings.objectStore.delete(this.keys).catch(() => undefined)
  }
}

function hasEmptyBytes(row: Row): boolean {
  return row.some(value => Buffer.isBuffer(value) && value.length === 0)
}
