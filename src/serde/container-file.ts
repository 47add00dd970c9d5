import { type FileHandle, open } from 'node:fs/promises'
import { inflateRawSync } from 'node:zlib'
import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError, messageOf } from '../model/errors.js'
import { readNext } from './avro-codec.js'
import { type AvroReadable, type AvroType, avroResolver, avroType, schemaName } from './avro-type.js'
import { EndOfBytes, ReadTap } from './read-tap.js'

/** First bytes of an Avro object container file. */
export const CONTAINER_MAGIC = Buffer.from('Obj\x01', 'latin1')

const SYNC_BYTES = 16
const READ_BYTES = 1_048_576
/** Two longs: the count of a block's values and its size. */
const BLOCK_HEAD_BYTES = 20
const LARGEST_BLOCK = 2 ** 28
/** Values that a block may hold beyond one a byte: only values without bytes can be more. */
const EXTRA_RECORDS = 65_536

/** One value of a container file. */
export interface ContainerRecord {
  readonly value: unknown
  /** The value's Avro bytes, without any header. */
  readonly bytes: Buffer
}

/** An open container file. */
export interface ContainerFile {
  /** The writer's schema, from the file's header. */
  readonly schema: AvroSchema
  /**
   * All values, a block at a time.
   * @throws MillraceError LOAD naming file and place when the file is damaged.
   */
  blocks(): AsyncIterable<readonly ContainerRecord[]>
  close(): Promise<void>
}

interface Header {
  readonly schema: AvroSchema
  readonly codec: string
  readonly sync: Buffer
  readonly end: number
}

/** Bytes of a file by position, read in large pieces. */
class FileWindow {
  private piece: Buffer = Buffer.alloc(0)
  private from = 0

  constructor(
    private readonly handle: FileHandle,
    readonly size: number,
  ) {}

  /** `length` bytes at `position`, fewer at the end of the file. A view that the next call may overwrite. */
  async bytes(position: number, length: number): Promise<Buffer> {
    const wanted = Math.min(length, Math.max(0, this.size - position))
    const start = position - this.from
    if (start < 0 || start + wanted > this.piece.length) {
      const piece = Buffer.allocUnsafeSlow(Math.min(Math.max(wanted, READ_BYTES), this.size - position))
      const { bytesRead } = await this.handle.read(piece, 0, piece.length, position)
      this.piece = piece.subarray(0, bytesRead)
      this.from = position
      return this.piece.subarray(0, wanted)
    }
    return this.piece.subarray(start, start + wanted)
  }
}

function readHeader(bytes: Buffer): Header {
  const tap = new ReadTap()
  tap.open(bytes, CONTAINER_MAGIC.length, bytes.length)
  const meta = new Map<string, Buffer>()
  for (let count = tap.readBlock(); count > 0; count = tap.readBlock()) {
    while (count-- > 0) meta.set(tap.readString(), tap.readBytes())
  }
  const sync = tap.readFixed(SYNC_BYTES)
  const schema = meta.get('avro.schema')
  if (schema === undefined) throw new Error('its header holds no schema')
  return {
    schema: JSON.parse(schema.toString('utf8')),
    codec: meta.get('avro.codec')?.toString('utf8') ?? 'null',
    sync,
    end: tap.pos,
  }
}

async function findHeader(file: FileWindow): Promise<Header> {
  for (let length = 65_536; ; length *= 4) {
    try {
      return readHeader(await file.bytes(0, length))
    } catch (thrown) {
      if (!(thrown instanceof EndOfBytes) || length >= file.size) throw thrown
    }
  }
}

function decompress(data: Buffer, codec: string): Buffer {
  return codec === 'null' ? data : inflateRawSync(data, { maxOutputLength: LARGEST_BLOCK })
}

function schemaType(schema: AvroSchema, damaged: (reason: unknown) => MillraceError): AvroType {
  try {
    return avroType(schema)
  } catch (thrown) {
    throw damaged(thrown)
  }
}

/**
 * Opens an Avro object container file (Avro specification, "Object Container Files"), codec `null` or `deflate`.
 * `reading` gives the schema to read values as, for the writer's schema; default: the writer's own.
 * @throws MillraceError LOAD when it cannot be read, is no container file, or has another codec.
 */
export async function openContainerFile(
  path: string,
  reading?: (writer: AvroSchema) => AvroSchema,
): Promise<ContainerFile> {
  const damaged = (reason: unknown, where: string) =>
    new MillraceError('LOAD', `${path} is damaged or no Avro container file (${where}): ${messageOf(reason)}.`, {
      cause: reason,
    })
  const handle = await open(path).catch(thrown => {
    throw new MillraceError('LOAD', `${path} cannot be read: ${messageOf(thrown)}.`, { cause: thrown })
  })
  try {
    const file = new FileWindow(handle, (await handle.stat()).size)
    const header = await findHeader(file).catch(thrown => {
      throw damaged(thrown, 'header')
    })
    if (header.codec !== 'null' && header.codec !== 'deflate') {
      throw new MillraceError(
        'LOAD',
        `${path} is compressed with "${header.codec}", which is not supported. Write it anew with codec deflate or null.`,
      )
    }
    const name = schemaName(header.schema)
    const type = schemaType(header.schema, reason => damaged(reason, 'schema'))
    const readable: AvroReadable = reading
      ? avroResolver(avroType(reading(header.schema)), type, 'the fields that are read', `"${name}"`)
      : type

    async function* blocks(): AsyncIterable<readonly ContainerRecord[]> {
      const tap = new ReadTap()
      let position = header.end
      for (let block = 1; position < file.size; block++) {
        try {
          const head = await file.bytes(position, BLOCK_HEAD_BYTES)
          tap.open(head, 0, head.length)
          const count = tap.readLong()
          const size = tap.readLong()
          const start = position + tap.pos
          if (count < 0 || size < 0 || start + size + SYNC_BYTES > file.size) throw new EndOfBytes()
          if (size > LARGEST_BLOCK) throw new Error(`it has a block of ${size} bytes`)
          const bytes = await file.bytes(start, size + SYNC_BYTES)
          if (!bytes.subarray(size).equals(header.sync)) throw new Error('the sync marker behind the block is wrong')
          const data = decompress(Buffer.from(bytes.subarray(0, size)), header.codec)
          if (count > data.length + EXTRA_RECORDS)
            throw new Error(`a block of ${data.length} bytes claims ${count} values`)
          const records: ContainerRecord[] = []
          let at = 0
          for (let i = 0; i < count; i++) {
            const { value, end } = readNext(readable, data, at, name)
            records.push({ value, bytes: data.subarray(at, end) })
            at = end
          }
          if (at !== data.length) throw new Error(`${data.length - at} bytes are left over`)
          yield records
          position = start + size + SYNC_BYTES
        } catch (thrown) {
          throw damaged(thrown, `block ${block} at byte ${position}`)
        }
      }
    }

    return { schema: header.schema, blocks, close: () => handle.close() }
  } catch (thrown) {
    await handle.close()
    throw thrown
  }
}
