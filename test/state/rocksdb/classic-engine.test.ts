import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rocksdbClassicEngine } from '../../../src/state/rocksdb/classic-engine.js'
import { rocksdbNativeEngine } from '../../../src/state/rocksdb/native-engine.js'
import { storeContract } from '../store-contract.js'
import { rocksdbContract } from './rocksdb-contract.js'

const loads = Number.parseInt(process.versions.node, 10) < 22

if (loads) {
  storeContract('rocksdb', () => rocksdbClassicEngine())
  // Only the first block: where more is damaged, an assertion in this engine ends the process.
  rocksdbContract(
    'rocksdb',
    () => rocksdbClassicEngine(),
    () => [100, 200],
  )
}

describe('rocksdbClassicEngine', () => {
  it('refuses on Node 22 and later before it loads the package or touches the directory', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-classic-'))
    for (const version of ['22.0.0', '24.1.0', '100.0.0']) {
      await expect(rocksdbClassicEngine(version).open(directory)).rejects.toMatchObject({
        code: 'STORE_ENGINE',
        message: expect.stringMatching(new RegExp(`Node ${version}.*"rocksdb-native"`)),
      })
    }
    expect(await readdir(directory)).toEqual([])
    await rm(directory, { recursive: true })
  })

  it.runIf(loads)('and the native engine refuse each other’s stores', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-classic-'))
    for (const [writer, reader] of [
      [rocksdbClassicEngine(), rocksdbNativeEngine()],
      [rocksdbNativeEngine(), rocksdbClassicEngine()],
    ] as const) {
      await (await writer.open(directory)).close()
      await expect(reader.open(directory)).rejects.toMatchObject({
        code: 'STORE_ENGINE',
        message: expect.stringContaining(`"${writer.name}"`),
      })
      await writer.destroy(directory)
    }
    await rm(directory, { recursive: true, force: true })
  })
})
