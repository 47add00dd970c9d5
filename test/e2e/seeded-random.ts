/** Random numbers of `[0, 1)` (mulberry32) from `MILLRACE_TEST_SEED`, or a fresh seed; the seed is printed. */
export function seededRandom(name: string): { readonly seed: number; readonly random: () => number } {
  const seed = Number(process.env.MILLRACE_TEST_SEED ?? Math.floor(Math.random() * 1_000_000))
  console.info(`${name}: MILLRACE_TEST_SEED=${seed}`)
  let state = seed
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return { seed, random }
}
