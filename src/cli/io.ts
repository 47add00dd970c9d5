/** Where a command writes: results to `out` (stdout), what it says about its work to `err` (stderr). */
export interface Io {
  out(line: string): void
  err(line: string): void
}
