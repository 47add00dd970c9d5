import { setTimeout as sleep } from 'node:timers/promises'

/** Looks every 50 ms until `look` answers something other than undefined or false; fails after `withinMs`, naming `what`. */
export async function until<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | undefined | false>,
  state: () => string | Promise<string> = () => '',
): Promise<T> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadline) throw new Error(`Not seen within ${withinMs} ms: ${what}. ${await state()}`)
    await sleep(50)
  }
}
