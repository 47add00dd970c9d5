import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rocksdbNativeEngine } from '../../../src/state/rocksdb/native-engine.js'
import { END, put, scan, storeContract } from '../store-contract.js'
import { rocksdbContract } from './rocksdb-contract.js'

storeContract('rocksdb-native', rocksdbNativeEngine)
rocksdbContract('rocksdb-native', rocksdbNativeEngine, length => [100, Math.floor(length / 2)])

describe('rocksdbNativeEngine', () => {
  it('sees a store that another engine object of this process holds', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-native-'))
    const store = await rocksdbNativeEngine().open(directory)
    await store.write([put('a', '1')])
    await expect(rocksdbNativeEngine().open(directory)).rejects.toMatchObject({ code: 'STORE_IN_USE' })
    expect(await scan(store, '', END)).toEqual([['a', '1']])
    await store.close()
    await rm(directory, { recursive: true })
  })
})
