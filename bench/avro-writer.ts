/** Writes Avro values one behind the other into a buffer of its own, which it uses again for each record. */
export class AvroWriter {
  private readonly buffer = Buffer.alloc(256)
  private at = 0

  /** `header` is what stands before every record: the id of its schema in wire format. */
  constructor(private readonly header: Buffer) {}

  /** Begins a record. */
  begin(): void {
    this.at = this.header.copy(this.buffer)
  }

  /** A copy of the record begun last. */
  end(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.at))
  }

  /** A string of ASCII characters. */
  text(text: string): void {
    this.long(text.length)
    this.at += this.buffer.write(text, this.at, 'latin1')
  }

  /** A whole number as Avro writes it: zigzag, seven bits a byte. */
  long(value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    while (rest > 0x7f) {
      this.buffer[this.at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.buffer[this.at++] = rest
  }
}
