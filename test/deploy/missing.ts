/**
 * Whether a suite is to be skipped, because something that it needs cannot be had here; one line says so.
 * @throws Error where `CI=true`: there, everything is to be had.
 */
export function missing(suite: string, reason: string | undefined): boolean {
  if (reason === undefined) return false
  const message = `Not run: ${suite} (${reason}).`
  if (process.env.CI === 'true') throw new Error(message)
  console.warn(message)
  return true
}
