import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoreEngine } from '../../../src/ports/store.js'
import { END, put, scan } from '../store-contract.js'

const WRITER = fileURLToPath(new URL('./store-writer.ts', import.meta.url))

/**
 * What engines do that keep a store in a directory. `damageOf` gives the bytes of a table file that the test overwrites.
 */
export function rocksdbContract(
  name: string,
  make: () => StoreEngine,
  damageOf: (length: number) => readonly [start: number, end: number],
): void {
  describe(`${name} on disk`, () => {
    const engine = make()
    let root: string
    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), 'millrace-rocksdb-'))
    })
    afterAll(() => rm(root, { recursive: true, force: true }))

    const startWriter = (directory: string) => {
      const child = spawn(process.execPath, ['--import', 'tsx', WRITER, name, directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const exited = once(child, 'exit')
      const lines = createInterface({ input: child.stdout })
      return { child, exited, lines }
    }

    it('keeps every acknowledged batch, whole, over SIGKILL', async () => {
      const directory = join(root, 'killed')
      let before = 0
      for (let round = 0; round < 4; round++) {
        const { child, exited, lines } = startWriter(directory)
        let acknowledged = 0
        lines.on('line', line => {
          acknowledged = Number(line)
          if (acknowledged >= before + 40 * (round + 1)) child.kill('SIGKILL')
        })
        expect((await exited)[1]).toBe('SIGKILL')
        const store = await engine.open(directory)
        const entries = new Map(await scan(store, '', END))
        await store.close()
        const counter = Number(entries.get('counter'))
        expect(counter).toBeGreaterThanOrEqual(acknowledged)
        expect(acknowledged).toBeGreaterThan(before)
        expect(entries.size).toBe(22)
        expect(new Set(entries.values())).toEqual(new Set([`${counter}`]))
        expect(entries.has(`old-${counter}`)).toBe(true)
        before = counter
      }
    })

    it('refuses a directory that another process holds, naming it', async () => {
      const directory = join(root, 'held')
      const { child, exited, lines } = startWriter(directory)
      await once(lines, 'line')
      try {
        await expect(engine.open(directory)).rejects.toMatchObject({
          code: 'STORE_IN_USE',
          message: expect.stringContaining(directory),
        })
      } finally {
        child.kill('SIGKILL')
        await exited
      }
      const store = await engine.open(directory)
      await store.close()
    })

    it('refuses a directory of another engine, and says that the store can be restored', async () => {
      const directory = join(root, 'other-engine')
      await mkdir(directory)
      await writeFile(join(directory, 'MILLRACE_ENGINE'), 'other')
      await expect(engine.open(directory)).rejects.toMatchObject({
        code: 'STORE_ENGINE',
        message: expect.stringMatching(/"other".*restored from its changelog/),
      })
      await engine.destroy(directory)
      const store = await engine.open(directory)
      await store.close()
      expect(await readFile(join(directory, 'MILLRACE_ENGINE'), 'utf8')).toBe(name)
    })

    it('neither opens nor destroys a directory with files that are no store', async () => {
      const directory = join(root, 'home')
      await mkdir(directory)
      await writeFile(join(directory, 'thesis.txt'), 'precious')
      const refused = { code: 'STORE', message: expect.stringContaining(`"${directory}" is not empty`) }
      await expect(engine.open(directory)).rejects.toMatchObject(refused)
      await expect(engine.destroy(directory)).rejects.toMatchObject(refused)
      expect(await readdir(directory)).toEqual(['thesis.txt'])
    })

    it('says that a damaged store is damaged, and starts empty after destroy', async () => {
      const directory = join(root, 'damaged')
      const store = await engine.open(directory)
      await store.write([put('a', '1')])
      await store.close()
      await writeFile(join(directory, 'CURRENT'), 'MANIFEST-999999\n')
      await expect(engine.open(directory)).rejects.toMatchObject({
        code: 'STORE',
        message: expect.stringMatching(/damaged, delete the directory/),
      })
      await engine.destroy(directory)
      const fresh = await engine.open(directory)
      expect(await scan(fresh, '', END)).toEqual([])
      await fresh.close()
    })

    it('fails a read of a damaged table file instead of leaving entries out', async () => {
      const directory = join(root, 'damaged-table')
      const first = await engine.open(directory)
      for (let n = 0; n < 20; n++) {
        await first.write(Array.from({ length: 500 }, (_, i) => put(`k${n}-${i}`, `${n * i}`.repeat(300))))
      }
      await first.close()
      // A second opening moves the log's entries into table files.
      await (await engine.open(directory)).close()
      const tables = (await readdir(directory)).filter(file => file.endsWith('.sst'))
      expect(tables.length).toBeGreaterThan(0)
      for (const table of tables) {
        const path = join(directory, table)
        const contents = await readFile(path)
        contents.fill(0x55, ...damageOf(contents.length))
        await writeFile(path, contents)
      }
      const reading = async () => {
        const store = await engine.open(directory)
        try {
          return await scan(store, '', END)
        } finally {
          await store.close()
        }
      }
      await expect(reading()).rejects.toMatchObject({ code: 'STORE', message: expect.stringContaining(directory) })
    })
  })
}
