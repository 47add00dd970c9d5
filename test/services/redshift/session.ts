import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { copyCommand } from './copy/copy-command.js'
import { type LoadError, load } from './copy/load.js'
import type { RedshiftFaults } from './faults.js'
import { asRedshift } from './postgres-error.js'
import { RedshiftError, serializableViolation } from './redshift-error.js'
import { Cursors } from './rules/cursors.js'
import { duplicateMatches, merge } from './rules/merge.js'
import { assertSize, translate } from './rules/rules.js'
import { type Statement, statementsOf } from './statement.js'
import type { Upstream } from './upstream.js'
import { commandComplete, empty, encode, readyForQuery, textAt, texts, type WireMessage } from './wire.js'

/** What the sessions of a shim share. */
export interface Shared {
  readonly faults: RedshiftFaults
  /** Of the object store that COPY reads. */
  readonly objectStore: string
  /** Notes a statement in the log. */
  note(sql: string): void
  reportLoadError(table: string, error: LoadError): Promise<void>
}

/** Runs a statement at PostgreSQL, in the protocol that the client spoke. */
type Run = (statement: Statement) => Promise<WireMessage[]>

/** The connection is cut. */
class Cut extends Error {}

/** Drivers count parameters in 16 bits with a sign: https://docs.aws.amazon.com/redshift/latest/mgmt/jdbc20-limitations.html */
const MAX_PARAMETERS = 32_767

/** One session of a client, from the end of its login on. */
export class Session {
  private readonly cursors = new Cursors()
  private readonly prepared = new Map<string, string>()
  /** Messages of the extended protocol since the last Sync. */
  private batch: WireMessage[] = []

  constructor(
    private readonly client: Socket,
    private readonly upstream: Upstream,
    private readonly shared: Shared,
  ) {}

  /** Answers a message. The answer is false where the session is over. */
  async take(message: WireMessage): Promise<boolean> {
    if (message.type === 'X') return false
    try {
      if (message.type === 'Q') await this.simple(textAt(message.body, 0).text)
      else if (message.type === 'S') await this.extended()
      else if (message.type === 'H') throw new Error('the Redshift shim does not know Flush')
      else this.batch.push(message)
      return true
    } catch (thrown) {
      if (thrown instanceof Cut) return false
      throw thrown
    }
  }

  private answer(messages: readonly WireMessage[]): void {
    this.client.write(Buffer.concat([...messages, readyForQuery(this.upstream.state)].map(encode)))
  }

  private async simple(sql: string): Promise<void> {
    const answers: WireMessage[] = []
    try {
      assertSize(sql)
      const statements = statementsOf(sql)
      if (statements.length === 0) answers.push(empty('I'))
      for (const statement of statements) {
        answers.push(...(await this.execute(statement, ({ sql }) => this.upstream.run(sql))))
        if (answers.at(-1)?.type === 'E' || answers.some(({ type }) => type === 'E')) break
      }
    } catch (thrown) {
      answers.push(await this.refused(thrown))
    }
    this.answer(answers)
  }

  /** Parse, Bind, Describe and Execute of one statement, up to Sync. */
  private async extended(): Promise<void> {
    const batch = this.batch
    this.batch = []
    try {
      this.answer(await this.executeBatch(batch))
    } catch (thrown) {
      this.answer([await this.refused(thrown)])
    }
  }

  private async executeBatch(batch: readonly WireMessage[]): Promise<WireMessage[]> {
    const parsed = batch.find(({ type }) => type === 'P')
    if (parsed) {
      const name = textAt(parsed.body, 0)
      this.prepared.set(name.text, textAt(parsed.body, name.end).text)
    }
    const bound = batch.find(({ type }) => type === 'B')
    if (bound) assertParameters(bound)
    const name = parsed ? textAt(parsed.body, 0).text : bound && textAt(bound.body, textAt(bound.body, 0).end).text
    const sql = name === undefined ? undefined : this.prepared.get(name)
    const send = (messages: readonly WireMessage[]) => {
      this.upstream.send(...messages, empty('S'))
      return this.upstream.answers()
    }
    if (sql === undefined) return send(batch)
    assertSize(sql)
    const [statement, second] = statementsOf(sql)
    if (!statement) return send(batch)
    if (second) throw new RedshiftError('42601', 'cannot insert multiple commands into a prepared statement')
    if (!batch.some(({ type }) => type === 'E')) {
      return send(batch.map(message => (message === parsed ? reparsed(message, this.translated(statement)) : message)))
    }
    let ran = false
    const answers = await this.execute(statement, translated => {
      ran = true
      return send(batch.map(message => (message === parsed ? reparsed(message, translated) : message)))
    })
    if (ran || answers.some(({ type }) => type === 'E')) return answers
    // What the shim did itself has no rows.
    return [empty('1'), empty('2'), empty('n'), ...answers]
  }

  private translated(statement: Statement): Statement {
    return translate(statement, this.upstream.state !== 'I')
  }

  /** Runs a statement by Redshift's rules. */
  private async execute(statement: Statement, run: Run): Promise<WireMessage[]> {
    this.shared.note(statement.sql)
    const translated = this.cursors.check(this.translated(statement))
    const fault = this.shared.faults.atStatement(statement.sql)
    switch (fault?.kind) {
      case 'conflict':
        if (isEnd(statement)) await this.upstream.run('ROLLBACK')
        throw serializableViolation()
      case 'commit-lost-before':
        throw new Cut()
      case 'commit-lost-after':
        await run(translated)
        throw new Cut()
      case 'slow':
        await sleep(fault.ms ?? 200)
    }
    const answers = await this.dispatch(translated, run)
    if (this.upstream.state === 'I') this.cursors.transactionEnded()
    return answers.map(asRedshift)
  }

  private async dispatch(statement: Statement, run: Run): Promise<WireMessage[]> {
    switch (statement.command) {
      case 'copy':
        return this.copy(statement)
      case 'truncate':
        return this.truncate(statement)
      case 'merge': {
        const merging = merge(statement)
        if (!merging) return run(statement)
        if (merging.duplicates) {
          const found = await this.upstream.run(merging.duplicates.sql)
          if (found.some(({ type }) => type === 'D')) throw duplicateMatches()
        }
        return (await run(merging.statement)).map(message =>
          message.type === 'C' ? commandComplete('MERGE') : message,
        )
      }
      default:
        return run(statement)
    }
  }

  private async copy(statement: Statement): Promise<WireMessage[]> {
    // In a failed transaction PostgreSQL refuses everything, and so does Redshift.
    if (this.upstream.state === 'E') return this.upstream.run('SELECT 1')
    const command = copyCommand(statement)
    const report = (error: LoadError) => this.shared.reportLoadError(command.table, error)
    const count = await load(this.upstream, command, this.shared.objectStore, report)
    await this.upstream.run(`SELECT set_config('redshift_shim.copy_count', '${count}', false)`)
    return [commandComplete('COPY')]
  }

  /** TRUNCATE commits the transaction in which it runs: https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNCATE.html */
  private async truncate(statement: Statement): Promise<WireMessage[]> {
    const answers = await this.upstream.run(statement.sql)
    const failed = answers.some(({ type }) => type === 'E')
    if (!failed && this.upstream.state === 'T') {
      const committed = await this.upstream.run('COMMIT')
      const failure = committed.find(({ type }) => type === 'E')
      if (failure) return [failure]
    }
    return answers
  }

  /** An error fails the transaction that is open. */
  private async refused(thrown: unknown): Promise<WireMessage> {
    if (!(thrown instanceof RedshiftError)) throw thrown
    if (this.upstream.state === 'T') await this.upstream.run('SELECT redshift_shim.failed_by_the_shim()')
    return thrown.response()
  }
}

function isEnd({ command }: Statement): boolean {
  return command === 'commit' || command === 'end'
}

/** A Parse with another text. */
function reparsed({ type, body }: WireMessage, { sql }: Statement): WireMessage {
  const name = textAt(body, 0)
  const { end } = textAt(body, name.end)
  return { type, body: Buffer.concat([texts(name.text, sql), body.subarray(end)]) }
}

function assertParameters({ body }: WireMessage): void {
  const formats = textAt(body, textAt(body, 0).end).end
  const count = body.readUInt16BE(formats + 2 + 2 * body.readUInt16BE(formats))
  if (count <= MAX_PARAMETERS) return
  throw new RedshiftError('42P02', `there is no parameter $${count - 65_536}`)
}
