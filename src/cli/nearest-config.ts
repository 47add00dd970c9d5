import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The `tsconfig.json` in the folder of a file or the nearest one above it; undefined where there is none. */
export function nearestConfig(file: string): string | undefined {
  const folder = dirname(file)
  const config = join(folder, 'tsconfig.json')
  if (existsSync(config)) return config
  return folder === dirname(folder) ? undefined : nearestConfig(folder)
}
