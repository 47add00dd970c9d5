/** What an entry in memory takes besides its states, in bytes: its object, its place in two maps, its key. */
const OVERHEAD = 400

/** Bytes of states in memory for one that is written. */
const EXPANSION = 3

/** Encoded bytes of an entry before any was seen. */
const FIRST_GUESS = 100

/** Entries over which the average goes, roughly. */
const WEIGHT = 64

/** Estimate of the memory that an entry of a table takes, by what the last ones took encoded. */
export class EntrySize {
  private encoded = FIRST_GUESS

  /** Notes the encoded size of an entry, in bytes. */
  note(bytes: number): void {
    this.encoded += (bytes - this.encoded) / WEIGHT
  }

  /** Memory of an entry, in bytes. */
  get bytes(): number {
    return OVERHEAD + EXPANSION * this.encoded
  }
}
