import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../../model/errors.js'

/** Names the engine that wrote a store, because the engines cannot read each other's files. RocksDB ignores the file. */
const MARKER = 'MILLRACE_ENGINE'

/**
 * Makes `directory` a store of `engine`, or checks that it is one.
 * @throws MillraceError STORE_ENGINE when another engine wrote it; STORE when it holds files that are no store.
 */
export async function claimDirectory(directory: string, engine: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const marker = await readMarker(directory)
  if (marker === engine) return
  if (marker !== undefined) {
    throw new MillraceError(
      'STORE_ENGINE',
      `The store in "${directory}" was written by the engine "${marker}", which "${engine}" cannot read. ` +
        `Go back to "${marker}", or delete the directory: the store is then restored from its changelog.`,
    )
  }
  if (await holdsOtherFiles(directory)) throw notAStore(directory)
  const temporary = join(directory, `${MARKER}.${process.pid}`)
  await writeFile(temporary, engine)
  await rename(temporary, join(directory, MARKER))
}

/**
 * Deletes the store in `directory`; nothing happens where there is none.
 * @throws MillraceError STORE when the directory holds files that are no store.
 */
export async function destroyDirectory(directory: string): Promise<void> {
  const entries = await entriesOf(directory)
  if ((await readMarker(directory)) === undefined && entries.some(isForeign)) throw notAStore(directory)
  // The marker goes last, so that a deletion cut short can be repeated.
  for (const entry of entries) if (entry !== MARKER) await rm(join(directory, entry), { recursive: true, force: true })
  await rm(directory, { recursive: true, force: true })
}

/** Bytes of the files in a store's directory; RocksDB has no folders in it. */
export async function directorySize(directory: string): Promise<number> {
  const sizes = (await entriesOf(directory)).map(async entry => {
    try {
      return (await stat(join(directory, entry))).size
    } catch (thrown) {
      // RocksDB deletes files that it compacted at any time.
      if (isMissing(thrown)) return 0
      throw thrown
    }
  })
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

async function readMarker(directory: string): Promise<string | undefined> {
  try {
    return await readFile(join(directory, MARKER), 'utf8')
  } catch (thrown) {
    if (isMissing(thrown)) return undefined
    throw thrown
  }
}

async function holdsOtherFiles(directory: string): Promise<boolean> {
  return (await entriesOf(directory)).some(isForeign)
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (thrown) {
    if (isMissing(thrown)) return []
    throw thrown
  }
}

function isForeign(entry: string): boolean {
  return !entry.startsWith(MARKER)
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT'
}

function notAStore(directory: string): MillraceError {
  return new MillraceError(
    'STORE',
    `"${directory}" is not empty and has no file "${MARKER}", so it is no store of Millrace. ` +
      'Choose another state directory, or empty this one.',
  )
}
