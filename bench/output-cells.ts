import avsc from 'avsc'
import { keyBytesAt, valueBytesAt } from '../src/model/record-batch.js'
import type { Log } from '../src/ports/log.js'
import { fileRegistry } from '../src/serde/file-registry.js'
import { SCHEMAS } from './source-topic.js'
import { type Cell, cellId } from './workload.js'

const WIRE_HEADER = 5

interface Key {
  readonly questType: string
  readonly windowStart: number
}

/** The last row of each key of an output topic, read again and again while a worker writes to it. */
export class OutputCells {
  private readonly cells = new Map<string, Cell>()
  private readonly next: number[] = []
  private readonly types = new Map<number, avsc.Type>()

  /** `registered` is the file in which the worker notes the schemas that it writes. */
  constructor(
    private readonly log: Log,
    private readonly topic: string,
    private readonly registered: string,
  ) {}

  /** Events that the rows stand for. */
  get events(): number {
    let events = 0
    for (const cell of this.cells.values()) events += cell.events
    return events
  }

  /** Reads what was committed since the last call. */
  async read(): Promise<void> {
    const partitions = (await this.log.describeTopics([this.topic])).get(this.topic)?.partitions ?? 0
    for (let partition = 0; partition < partitions; partition++) {
      const at = { topic: this.topic, partition }
      const { low, high } = await this.log.watermarks(at)
      for await (const batch of this.log.read(at, this.next[partition] ?? low, high)) {
        for (let i = 0; i < batch.count; i++) {
          const { questType, windowStart } = await this.decode<Key>(keyBytesAt(batch, i)!)
          const id = cellId(questType, windowStart)
          const value = valueBytesAt(batch, i)
          if (value === null) this.cells.delete(id)
          else this.cells.set(id, await this.decode<Cell>(value))
        }
      }
      this.next[partition] = high
    }
  }

  private async decode<T>(bytes: Buffer): Promise<T> {
    const id = bytes.readUInt32BE(1)
    let type = this.types.get(id)
    if (type === undefined) {
      const schema = await fileRegistry({ schemas: SCHEMAS, file: this.registered }).schema(id)
      if (schema === undefined) throw new Error(`The schema ${id} of an output row is not registered.`)
      type = avsc.Type.forSchema(schema as avsc.Schema, { noAnonymousTypes: false })
      this.types.set(id, type)
    }
    return type.fromBuffer(bytes.subarray(WIRE_HEADER)) as T
  }

  /** Cells that are missing, too many, or not what they should be; the first few in words. */
  compare(expected: ReadonlyMap<string, Cell>): { readonly wrong: number; readonly examples: readonly string[] } {
    const ids = new Set([...expected.keys(), ...this.cells.keys()])
    const wrong = [...ids].filter(id => !sameCell(expected.get(id), this.cells.get(id)))
    const examples = wrong
      .slice(0, 5)
      .map(id => `${id}: ${JSON.stringify(this.cells.get(id))}, not ${JSON.stringify(expected.get(id))}`)
    return { wrong: wrong.length, examples }
  }
}

function sameCell(a: Cell | undefined, b: Cell | undefined): boolean {
  if (a === undefined || b === undefined) return false
  const { events, gold, slowestMs, fastestMs } = a
  return b.events === events && b.gold === gold && b.slowestMs === slowestMs && b.fastestMs === fastestMs
}
