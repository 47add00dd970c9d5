import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { MillraceError } from '../../model/errors.js'

/**
 * Without the optimising compiler, which costs more than it saves in a process that lives for seconds. Standard input
 * ends with the parent, however it died: nobody waits for the directory then.
 */
const SCRIPT = `
import { setFlagsFromString } from 'node:v8'
process.on('SIGINT', () => undefined)
process.stdin.on('end', () => process.exit(1)).resume()
setFlagsFromString('--liftoff-only')
const { PGlite } = await import(process.argv[1])
const database = await PGlite.create(process.argv[2])
await database.close()
process.exit(0)
`

/** The initdb of a parent that was killed just now may still write: its files are removed until it has ended, some 10 s. */
const REMOVED_WHILE_WRITTEN = { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }

/**
 * Makes a PGlite data directory where there is none, in a process of its own: initdb takes some 750 MB that PGlite would
 * hold until its end. The directory appears when it is complete, so a crash leaves nothing half made.
 * @param directory holds the data directory; nobody else may use it.
 * @returns the path of the data directory.
 * @throws MillraceError WAREHOUSE with what initdb said.
 */
export async function dataDirectory(directory: string): Promise<string> {
  const data = join(directory, 'data')
  if (existsSync(data)) return data
  for (const name of await readdir(directory)) {
    if (name.endsWith('.new')) await rm(join(directory, name), REMOVED_WHILE_WRITTEN)
  }
  const made = join(directory, `data-${process.pid}-${Date.now()}.new`)
  await initialize(made)
  await rename(made, data)
  return data
}

function initialize(directory: string): Promise<void> {
  const module = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const args = ['--input-type=module', '--eval', SCRIPT, module, directory]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve()
      else
        reject(
          new MillraceError(
            'WAREHOUSE',
            `initdb of PGlite ended with ${signal ?? `code ${code}`}: ${said.slice(-1_000)}`,
          ),
        )
    })
  })
}
