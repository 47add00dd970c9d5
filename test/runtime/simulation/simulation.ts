import { isDeepStrictEqual } from 'node:util'
import { embeddedLog } from '../../../src/log/embedded/embedded-log.js'
import { type ErrorCode, MillraceError } from '../../../src/model/errors.js'
import { keyBytesAt, valueBytesAt } from '../../../src/model/record-batch.js'
import type { Clock } from '../../../src/ports/clock.js'
import type { Log, LogProducer } from '../../../src/ports/log.js'
import type { AvroSerde, WireReader } from '../../../src/ports/serde.js'
import type { TableSpec, Warehouse } from '../../../src/ports/warehouse.js'
import { addAccounting, noAccounting } from '../../../src/runtime/accounting.js'
import { readProgress } from '../../../src/runtime/progress.js'
import { tableSpec } from '../../../src/runtime/rows-program.js'
import type { Guarantee } from '../../../src/runtime/stream-process-options.js'
import { avroSerde } from '../../../src/serde/avro-serde.js'
import { fileRegistry } from '../../../src/serde/file-registry.js'
import { memoryEngine } from '../../../src/state/memory/memory-engine.js'
import { memoryWarehouse } from '../../../src/warehouse/memory/memory-warehouse.js'
import { ClosedRows, partOf } from './closed-rows.js'
import { Member, type World } from './member.js'
import { Random } from './random.js'
import { type Accepted, closedOf, expectedOf, line, rowsOf, secondRowsOf } from './rule.js'
import { BASE, FINALS, type Scenario, SECOND, schema, topologyOf, UPDATES } from './scenario.js'

const SESSION_TIMEOUT = 100
const ACTIONS = 200
/** Actions for which a member stands still that is to lose its session. */
const STANDSTILL = 30
const GROUP = 'sim'

class VirtualClock implements Clock {
  time = BASE

  now(): number {
    return this.time
  }

  async sleep(milliseconds: number): Promise<void> {
    this.time += milliseconds
  }
}

/** Schemas that one process fetched are known to the others: waiting for them would take the time of many actions. */
function sharedReaders(serde: AvroSerde): AvroSerde {
  const readers = new Map<unknown, WireReader>()
  return {
    codec: schema => serde.codec(schema),
    writer: (subject, schema) => serde.writer(subject, schema),
    reader(schema) {
      const reader = readers.get(schema) ?? serde.reader(schema)
      readers.set(schema, reader)
      return reader
    },
  }
}

interface RowRecord {
  readonly k: string
  readonly start: number
  readonly ids: string | null
}

/** One run of a scenario: members that stall, crash, come back and lose their session, in an order that a seed gives. */
export class Simulation {
  private readonly clock = new VirtualClock()
  private readonly random: Random
  private readonly sent: number[]
  private members: Member[] = []
  /** Members that were replaced while they stood still. They are to be fenced when they go on. */
  private readonly ghosts: Member[] = []
  private standing: { readonly member: Member; readonly until: number } | undefined
  private world!: World
  private log!: Log
  private readonly registry = fileRegistry({ schemas: [] })
  private serde!: AvroSerde
  private warehouse!: Warehouse
  private closedRows!: ClosedRows
  private producer!: LogProducer

  private constructor(
    private readonly scenario: Scenario,
    private readonly guarantee: Guarantee,
    seed: number,
  ) {
    this.random = new Random(seed)
    this.sent = scenario.lanes.map(() => 0)
  }

  /** Runs a scenario and answers what is wrong with its outcome; undefined where nothing is. */
  static async run(
    scenario: Scenario,
    seed: number,
    guarantee: Guarantee = 'exactly_once',
  ): Promise<string | undefined> {
    const simulation = new Simulation(scenario, guarantee, seed)
    await simulation.prepare()
    for (let action = 0; action < ACTIONS; action++) {
      await simulation.act(action)
      await simulation.revive()
      const fault = simulation.fault()
      if (fault) return fault
    }
    return (
      (await simulation.end()) ??
      (await simulation.check()) ??
      (await simulation.takeOver()) ??
      (await simulation.check()) ??
      (await simulation.checkTable())
    )
  }

  private async prepare(): Promise<void> {
    const { clock, scenario, random } = this
    const store = await memoryEngine().open('log')
    const sessionTimeoutMs = this.guarantee === 'exactly_once' ? SESSION_TIMEOUT : Number.POSITIVE_INFINITY
    this.log = await embeddedLog({ store, clock, sessionTimeoutMs, cleanEvery: 50 })
    this.serde = sharedReaders(avroSerde(this.registry))
    this.closedRows = new ClosedRows(memoryWarehouse())
    this.warehouse = this.closedRows.warehouse
    await this.log.createTopics([{ name: 'events', partitions: scenario.lanes.length, config: {} }])
    this.producer = await this.log.producer()
    const { log, serde, warehouse } = this
    const { commitInterval } = scenario
    const topology = topologyOf(scenario)
    const { guarantee } = this
    this.world = { topology, log, serde, warehouse, clock, commitInterval, guarantee, random, calm: false }
    await this.arrive()
    this.members = Array.from({ length: 1 + random.below(3) }, (_, i) => new Member(`i${i}`, this.world))
  }

  /** Appends the records whose time has come. */
  private async arrive(): Promise<void> {
    const writer = await this.serde.writer('events-value', schema.schema)
    for (const [lane, records] of this.scenario.lanes.entries()) {
      for (; (this.sent[lane] as number) < records.length; (this.sent[lane] as number)++) {
        const { kind, event, arrival } = records[this.sent[lane] as number]!
        if (this.scenario.idle && arrival > this.clock.time) break
        const key = event.k === null ? null : Buffer.from(event.k)
        const value = kind === 'event' ? writer.encode(event) : kind === 'null' ? null : Buffer.from('garbage')
        this.producer.send('events', lane, key, value, event.ts)
      }
    }
    await this.producer.flush()
  }

  private async act(action: number): Promise<void> {
    const { random, clock } = this
    if (this.standing && this.standing.until < action) this.standing = undefined
    const what = random.next()
    if (what < 0.1) {
      clock.time += random.pick([1, 1, 2, 5, 20])
      await this.arrive()
    } else if (what < 0.12) await this.trouble(action)
    else {
      const member = random.pick([...this.members, ...this.ghosts])
      if (member !== this.standing?.member) await member.advance()
    }
  }

  private async trouble(action: number): Promise<void> {
    const { random, members, world } = this
    const slot = random.below(members.length)
    const member = members[slot]!
    const { instanceId, engine } = member
    const disk = random.chance(0.7) ? engine : memoryEngine()
    // At least once, nothing fences a process that goes on after its session: only crashes and restarts are survived.
    switch (this.guarantee === 'exactly_once' ? random.below(7) : random.pick([0, 2, 3])) {
      case 0:
        await member.crash(true)
        members[slot] = new Member(instanceId, world, disk)
        break
      case 1:
        await member.crash(false)
        members[slot] = new Member(random.chance(0.5) ? instanceId : `${instanceId}x`, world, disk)
        break
      case 2:
        await member.close()
        if (member.up || member.fault === undefined) members[slot] = new Member(instanceId, world, disk)
        break
      case 3:
        await member.kill()
        if (member.up || member.fault === undefined) members[slot] = new Member(instanceId, world, disk)
        break
      case 4:
        if (!member.started) break
        this.ghosts.push(member)
        members[slot] = new Member(instanceId, world)
        break
      default:
        this.standing = { member, until: action + STANDSTILL }
        // The others are heard of in between, so that they keep their sessions.
        for (let i = 0; i < 3; i++) {
          this.clock.time += SESSION_TIMEOUT / 2
          for (const other of members) if (other !== member) await other.advance()
        }
    }
  }

  /**
   * Starts members again that stopped because another process took a sink over: one that lost its partitions without
   * knowing it may do so.
   */
  private async revive(): Promise<void> {
    for (const [slot, member] of this.members.entries()) {
      if (!hasCode(member.fault, 'WAREHOUSE_FENCED')) continue
      await member.crash(true)
      this.members[slot] = new Member(member.instanceId, this.world, member.engine)
    }
  }

  /** What ended a member that should not have ended. */
  private fault(): string | undefined {
    const broken = this.members.find(member => member.fault !== undefined)
    const ghost = this.ghosts.find(({ fault }) => fault !== undefined && !hasCode(fault, 'LOG_FENCED'))
    const fault = broken?.fault ?? ghost?.fault
    return fault === undefined ? undefined : `a process died: ${fault instanceof Error ? fault.stack : String(fault)}`
  }

  /** Lets everybody finish in peace. */
  private async end(): Promise<string | undefined> {
    this.world.calm = true
    for (const ghost of this.ghosts) {
      await ghost.advance()
      await ghost.finish()
    }
    let quiet = 0
    // Quiet for longer than the session of a crashed member that still holds partitions.
    for (let round = 0; quiet < (this.scenario.idle ? 15 : 4); round++) {
      if (round > 400) return 'it comes to no end'
      this.clock.time += this.scenario.idle ? 10 : 60
      await this.arrive()
      const before = await this.heights()
      for (const member of this.members) await member.settle()
      await this.revive()
      const fault = this.fault()
      if (fault) return fault
      const waiting = this.scenario.idle && (this.clock.time < BASE + 400 || this.pending())
      quiet = waiting || !isDeepStrictEqual(before, await this.heights()) ? 0 : quiet + 1
    }
    return undefined
  }

  /** A last process takes over all that the others leave, sinks that were fenced included. */
  private async takeOver(): Promise<string | undefined> {
    for (const member of this.members) await member.close()
    const fault = this.fault()
    if (fault) return fault
    this.clock.time += SESSION_TIMEOUT + 1
    this.members = [new Member('last', this.world)]
    await this.members[0]!.settle()
    return this.fault()
  }

  private pending(): boolean {
    return this.scenario.lanes.some((records, lane) => (this.sent[lane] as number) < records.length)
  }

  /** Ends of the outputs, and what was read of the source. (Idle lanes repeat their markers for ever.) */
  private async heights(): Promise<number[]> {
    const heights: number[] = []
    const topics = [FINALS, UPDATES, SECOND]
    for (const { name, partitions } of (await this.log.describeTopics(topics)).values()) {
      for (let partition = 0; partition < partitions; partition++) {
        heights.push((await this.log.watermarks({ topic: name, partition })).high)
      }
    }
    const { tasks } = await readProgress(this.log, `${GROUP}-progress`)
    for (const lane of this.scenario.lanes.keys()) heights.push(tasks.get(`events/${lane}`)?.nextOffset ?? 0)
    return heights
  }

  private async rows(topic: string): Promise<RowRecord[]> {
    const rows: RowRecord[] = []
    const description = (await this.log.describeTopics([topic])).get(topic)
    for (let partition = 0; partition < (description?.partitions ?? 0); partition++) {
      const { low, high } = await this.log.watermarks({ topic, partition })
      for await (const batch of this.log.read({ topic, partition }, low, high)) {
        for (let i = 0; i < batch.count; i++) {
          const key = await this.decode(keyBytesAt(batch, i) as Buffer)
          const value = valueBytesAt(batch, i)
          const { ids } = value === null ? { ids: null } : await this.decode(value)
          rows.push({ k: key.k as string, start: key.windowStart as number, ids: ids as string | null })
        }
      }
    }
    return rows
  }

  /** Whether every accepted record is in a final row of its window, and in the last row of its updates. */
  private async checkAtLeastOnce(): Promise<string | undefined> {
    const { scenario } = this
    const expected = expectedOf(scenario)
    const pairsOf = (rows: readonly RowRecord[]): Set<string> =>
      new Set(rows.flatMap(({ k, start, ids }) => (ids ?? '').split(' ').map(id => `${k} @${start - BASE}: ${id}`)))
    const pairs = (accepted: readonly Accepted[]) => accepted.map(({ k, start, id }) => `${k} @${start - BASE}: ${id}`)
    const finals = pairsOf(await this.rows(FINALS))
    const lost = pairs(closedOf(scenario, expected)).filter(pair => !finals.has(pair))
    if (lost.length > 0) return `no final row has ${lost.join(', ')}`
    if (scenario.shape.startsWith('source')) return undefined
    const last = new Map((await this.rows(UPDATES)).map(row => [`${row.k} @${row.start}`, row]))
    const updates = pairsOf([...last.values()])
    const missing = pairs(expected.accepted).filter(pair => !updates.has(pair))
    return missing.length > 0 ? `the last updates lack ${missing.join(', ')}` : undefined
  }

  /** The last row of each key and window. */
  private async lastUpdates(): Promise<string[]> {
    const updates = new Map((await this.rows(UPDATES)).map(({ k, start, ids }) => [`${k} @${start - BASE}`, ids]))
    return [...updates].map(([key, ids]) => `${key}: ${ids}`).sort()
  }

  /** Whether the warehouse has what the updates say. */
  private async checkTable(): Promise<string | undefined> {
    const sink = this.world.topology.outputs.find(node => node.kind === 'to-warehouse')
    const rows: string[] = []
    if (sink?.kind !== 'to-warehouse') return undefined
    for await (const [k, start, , ids] of this.warehouse.rows(tableSpec(sink))) {
      rows.push(line(String(k), (start as Date).getTime(), String(ids)))
    }
    return (
      differ('rows of the warehouse', rows.sort(), await this.lastUpdates()) ??
      this.closedRows.fault ??
      (await this.checkClosedRows(tableSpec(sink)))
    )
  }

  /** Whether the closed part of the table has exactly the final rows of the same windows. */
  private async checkClosedRows(table: TableSpec): Promise<string | undefined> {
    if (this.guarantee === 'at_least_once') return undefined
    const finals = (await this.rows(FINALS)).map(({ k, start, ids }) => line(k, start, ids ?? 'null')).sort()
    return differ('closed rows of the warehouse', await partOf(this.warehouse, table, 'closed'), finals)
  }

  /** Wire format, decoded with the schema that it was written with. */
  private async decode(bytes: Buffer): Promise<Record<string, unknown>> {
    const written = await this.registry.schema(bytes.readInt32BE(1))
    return this.serde.codec(written!).decode(bytes, 5) as Record<string, unknown>
  }

  private async check(): Promise<string | undefined> {
    const { scenario } = this
    if (this.guarantee === 'at_least_once') return this.checkAtLeastOnce()
    const expected = expectedOf(scenario)
    const perLane = scenario.shape.startsWith('source')
    const finals = await this.rows(FINALS)
    const lines = finals.map(({ k, start, ids }) => line(k, start, ids ?? 'null')).sort()
    const accounting = noAccounting()
    let lateAfterIdle = 0
    const progress = await readProgress(this.log, `${GROUP}-progress`)
    for (const [task, { accounting: part, lateAfterIdle: late }] of progress.tasks) {
      lateAfterIdle += late
      addAccounting(accounting, part)
      if (!task.startsWith('events/') && part.read > 0) return `${task} counted records again`
    }
    const pairs = finals.flatMap(({ k, start, ids }) =>
      (ids ?? '').split(' ').map(id => `${k} @${start - BASE}: ${id}`),
    )
    if (new Set(pairs).size !== pairs.length) return `a record is twice in a window: ${pairs.sort().join(', ')}`
    if (!perLane && new Set(finals.map(({ k, start }) => `${k} ${start}`)).size !== finals.length) {
      return `two final rows of one window: ${lines.join('; ')}`
    }
    const outcomes = { ...accounting }
    if (scenario.idle && perLane)
      Object.assign(outcomes, { late: 0, aggregated: accounting.aggregated + accounting.late, refusedWindows: 0 })
    const wanted = { ...expected.accounting }
    if (scenario.idle && perLane)
      Object.assign(wanted, { late: 0, aggregated: wanted.aggregated + wanted.late, refusedWindows: 0 })
    if (scenario.idle) outcomes.refusedWindows = wanted.refusedWindows
    if (!isDeepStrictEqual(outcomes, wanted)) {
      return `the accounting is ${JSON.stringify(outcomes)} and should be ${JSON.stringify(wanted)}`
    }
    const last = await this.lastUpdates()
    const second = (await this.rows(SECOND)).map(({ k, start, ids }) => line(k, start, ids ?? 'null')).sort()
    if (!scenario.idle) {
      if (lateAfterIdle > 0) return `${lateAfterIdle} records are late after idleness, and no lane can be idle`
      const closes = scenario.lanes.every(records => records.at(-1)?.event.ts === BASE + 100_000)
      const rows = rowsOf(scenario, expected.accepted)
      if (closes || !perLane) {
        const difference = differ('final rows', lines, rowsOf(scenario, closedOf(scenario, expected)))
        if (difference) return difference
      }
      if (!perLane) {
        const difference = differ('updates', last, rows)
        if (difference) return difference
      }
      if (closes && scenario.shape.endsWith('stages'))
        return differ('second rows', second, secondRowsOf(scenario, expected.accepted))
      return undefined
    }
    const accepted = new Set(expected.accepted.map(({ k, start, id }) => `${k} @${start - BASE}: ${id}`))
    const unknown = pairs.filter(pair => !accepted.has(pair))
    if (unknown.length > 0) return `rows hold what was not accepted: ${unknown.join(', ')}`
    // Both tables see the same, so that what is late is counted twice.
    const late = 2 * (accepted.size - pairs.length)
    if (late !== lateAfterIdle) {
      return `${lateAfterIdle} records are counted as late after idleness, and ${late} are missing: ${[...accepted].filter(pair => !pairs.includes(pair)).join(', ')}`
    }
    if (!perLane) {
      const difference = differ('updates', last, lines)
      if (difference) return difference
    }
    if (!scenario.shape.endsWith('stages')) return undefined
    const ids = (rows: readonly string[]) => rows.flatMap(row => row.split(': ')[1]!.split(' ')).sort()
    return differ('ids of the second stage', ids(second), ids(lines))
  }
}

function differ(what: string, is: readonly string[], wanted: readonly string[]): string | undefined {
  return isDeepStrictEqual([...is], [...wanted])
    ? undefined
    : `${what} are [${is.join('; ')}] and should be [${wanted.join('; ')}]`
}

function hasCode(fault: unknown, code: ErrorCode): boolean {
  return fault instanceof MillraceError && fault.code === code
}
