import type { Topology } from 'millrace'
import type { Clock } from '../../../src/ports/clock.js'
import type { Log, LogConsumer } from '../../../src/ports/log.js'
import type { AvroSerde } from '../../../src/ports/serde.js'
import type { Store, StoreEngine } from '../../../src/ports/store.js'
import type { Warehouse } from '../../../src/ports/warehouse.js'
import { StreamProcess } from '../../../src/runtime/stream-process.js'
import type { Guarantee } from '../../../src/runtime/stream-process-options.js'
import { memoryEngine } from '../../../src/state/memory/memory-engine.js'
import { type Gate, gatedEngine, gatedLog } from './gated.js'
import type { Random } from './random.js'

/** What the members of a simulation share. */
export interface World {
  readonly topology: Topology
  readonly log: Log
  readonly serde: AvroSerde
  readonly warehouse: Warehouse
  readonly clock: Clock
  readonly commitInterval: number
  readonly guarantee: Guarantee
  readonly random: Random
  /** Waits, aborts and small polls stop when the simulation comes to its end. */
  calm: boolean
}

/** Operations of one member in one simulation; many more than any sound one needs. */
const PASSES = 200_000

class Crashed extends Error {}

/** A process of the group, one call at a time: it can be left standing in the middle of a call, and crash there. */
export class Member implements Gate {
  readonly consumers: LogConsumer[] = []
  readonly stores = new Set<Store>()
  private process: StreamProcess | undefined
  private running: Promise<void> | undefined
  /** Operations that wait: that of the loop, and those that go on beside it. */
  private parked: { readonly go: () => void; readonly crash: () => void }[] = []
  private signal = (): void => undefined
  private dead = false
  private passes = 0
  /** What ended it, where that was no crash of the simulation. */
  fault: unknown

  constructor(
    readonly instanceId: string,
    private readonly world: World,
    /** Its disk. */
    readonly engine: StoreEngine = memoryEngine(),
  ) {
    this.run(async () => {
      this.process = await StreamProcess.start({
        topology: world.topology,
        log: gatedLog(world.log, this),
        serde: world.serde,
        stores: gatedEngine(this.engine, this),
        stateDirectory: 'state',
        warehouse: world.warehouse,
        clock: world.clock,
        commitInterval: world.commitInterval,
        guarantee: world.guarantee,
        instanceId,
        // One batch a turn, so that whatever happens can happen between two of them.
        restoreSlice: 0,
        logger: { info: () => undefined, warn: () => undefined },
      })
    })
  }

  get up(): boolean {
    return !this.dead
  }

  /** It has joined the group. */
  get started(): boolean {
    return this.process !== undefined
  }

  /** Goes on until it waits at a gate or has nothing under way; starts a step when it has not. */
  async advance(): Promise<void> {
    const stopped = new Promise<void>(resolve => {
      this.signal = resolve
    })
    const parked = this.parked.splice(0)
    for (const { go } of parked) go()
    if (parked.length > 0 && !this.running) return
    if (parked.length === 0 && !this.running && this.process) this.run(() => (this.process as StreamProcess).step(0))
    await Promise.race([stopped, this.running])
  }

  /** Finishes what is under way. */
  async finish(): Promise<void> {
    while (this.running && this.up) await this.advance()
  }

  private run(work: () => Promise<void>): void {
    this.running = work()
      .catch(thrown => {
        if (!(thrown instanceof Crashed)) this.fault ??= thrown
        this.dead = true
      })
      .finally(() => {
        this.running = undefined
      })
  }

  /** Ends at once, in the middle of what it does. `leaves`: its session ends with it instead of running out. */
  async crash(leaves: boolean): Promise<void> {
    this.dead = true
    for (const { crash } of this.parked.splice(0)) crash()
    await this.running
    for (const store of this.stores) await store.close()
    if (leaves) for (const consumer of this.consumers) await consumer.close()
  }

  /** Stops as a worker does that was asked to. */
  async close(): Promise<void> {
    await this.finish()
    if (!this.up) return
    this.run(() => (this.process as StreamProcess).close())
    await this.finish()
    this.dead = true
  }

  async kill(): Promise<void> {
    await this.finish()
    if (!this.up) return
    this.run(() => (this.process as StreamProcess).kill())
    await this.finish()
    this.dead = true
  }

  /** Steps until it finds nothing to do and all its rows are flushed. */
  async settle(): Promise<void> {
    await this.finish()
    if (!this.up) return
    this.run(() => (this.process as StreamProcess).settle())
    await this.finish()
  }

  get lateAfterIdle(): Promise<number> {
    return (this.process as StreamProcess).status().then(status => status.lateAfterIdle)
  }

  alive(): void {
    if (this.dead) throw new Crashed()
  }

  async pass(): Promise<void> {
    this.alive()
    if (++this.passes > PASSES) throw new Error('It goes in circles.')
    if (this.world.calm || !this.world.random.chance(0.1)) return
    await new Promise<void>((resolve, reject) => {
      this.parked.push({ go: resolve, crash: () => reject(new Crashed()) })
      this.signal()
    })
    this.alive()
  }

  aborts(): boolean {
    return !this.world.calm && this.world.random.chance(0.03)
  }

  pollRecords(): number {
    return this.world.calm ? 10_000 : this.world.random.pick([1, 1, 2, 3, 6, 10_000])
  }
}
