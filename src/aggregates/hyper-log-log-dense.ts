const DENSE_TAG = 3
const DENSE_HEADER = 3
const MAX_DELTA = 15

/**
 * Airlift's dense layout (tag 3): the smallest register as baseline, 4 bits a register for what it has more, and a list of registers
 * that have more than 15 more.
 */
export function encodeDense(registers: Uint8Array, indexBits: number): Buffer {
  let baseline = registers[0] as number
  for (const register of registers) if (register < baseline) baseline = register
  const overflows: number[] = []
  for (let i = 0; i < registers.length; i++) {
    if ((registers[i] as number) - baseline > MAX_DELTA) overflows.push(i)
  }
  const overflowAt = DENSE_HEADER + registers.length / 2
  const bytes = Buffer.alloc(overflowAt + 2 + 3 * overflows.length)
  bytes[0] = DENSE_TAG
  bytes[1] = indexBits
  bytes[2] = baseline
  for (let i = 0; i < registers.length; i += 2) {
    const even = Math.min((registers[i] as number) - baseline, MAX_DELTA)
    const odd = Math.min((registers[i + 1] as number) - baseline, MAX_DELTA)
    bytes[DENSE_HEADER + (i >> 1)] = (even << 4) | odd
  }
  bytes.writeUInt16LE(overflows.length, overflowAt)
  overflows.forEach((register, i) => {
    bytes.writeUInt16LE(register, overflowAt + 2 + 2 * i)
    bytes[overflowAt + 2 + 2 * overflows.length + i] = (registers[register] as number) - baseline - MAX_DELTA
  })
  return bytes
}

/** The registers of {@link encodeDense}. */
export function decodeDense(bytes: Buffer): Uint8Array {
  const registers = new Uint8Array(1 << (bytes[1] as number))
  const baseline = bytes[2] as number
  for (let i = 0; i < registers.length; i += 2) {
    const slot = bytes[DENSE_HEADER + (i >> 1)] as number
    registers[i] = baseline + (slot >> 4)
    registers[i + 1] = baseline + (slot & 15)
  }
  const overflowAt = DENSE_HEADER + registers.length / 2
  const overflows = bytes.readUInt16LE(overflowAt)
  for (let i = 0; i < overflows; i++) {
    const register = bytes.readUInt16LE(overflowAt + 2 + 2 * i)
    registers[register] = baseline + MAX_DELTA + (bytes[overflowAt + 2 + 2 * overflows + i] as number)
  }
  return registers
}
