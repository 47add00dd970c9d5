/** Edit distance (Levenshtein) of two texts, case ignored. */
function editDistance(a: string, b: string): number {
  const from = a.toLowerCase()
  const to = b.toLowerCase()
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = previous[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1))
    }
    previous = current
  }
  return previous[to.length]!
}

/** The one of `known` that `name` was probably meant to be: the nearest one within a third of its length, else undefined. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name, candidate)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** A remedy for an unknown name: `Did you mean "questType"? Known are questType, eventType.` */
export function suggestion(name: string, known: readonly string[]): string {
  const guess = nearest(name, known)
  const list = known.length === 0 ? 'There is none.' : `Known are ${known.join(', ')}.`
  return guess === undefined ? list : `Did you mean "${guess}"? ${list}`
}
