import { resolve } from 'node:path'
import { MillraceError } from '../../model/errors.js'
import type { Store, StoreEngine } from '../../ports/store.js'
import { storeError } from './operation-gate.js'
import { claimDirectory, destroyDirectory } from './store-directory.js'

/**
 * What the engines on RocksDB have in common: a directory is marked with the engine's name, is open once in this
 * process, and is not destroyed while it is open. `load` brings the driver, before a directory is touched; `openStore`
 * opens the database in a marked directory and calls `onClosed` when it was closed again.
 */
export function rocksdbEngine<Driver>(
  name: string,
  load: () => Promise<Driver>,
  openStore: (driver: Driver, directory: string, onClosed: () => void) => Promise<Store>,
): StoreEngine {
  const open = new Set<string>()

  const requireClosed = (directory: string) => {
    if (!open.has(directory)) return
    throw new MillraceError('STORE_IN_USE', `The store in "${directory}" is open in this process. Close it first.`)
  }

  return {
    name,
    async open(directory) {
      const at = resolve(directory)
      requireClosed(at)
      open.add(at)
      try {
        const driver = await load()
        await claimDirectory(at, name)
        return await openStore(driver, at, () => open.delete(at))
      } catch (thrown) {
        open.delete(at)
        throw storeError(at, thrown)
      }
    },
    async destroy(directory) {
      const at = resolve(directory)
      requireClosed(at)
      await destroyDirectory(at)
    },
  }
}
