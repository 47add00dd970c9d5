import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/model/errors.js'
import type { RangeOptions, Store, StoreEngine, StoreWrite } from '../../src/ports/store.js'

export const bytes = (text: string) => Buffer.from(text, 'latin1')
export const put = (key: string, value: string): StoreWrite => ({ type: 'put', key: bytes(key), value: bytes(value) })
const del = (key: string): StoreWrite => ({ type: 'delete', key: bytes(key) })
const delRange = (from: string, to: string): StoreWrite => ({ type: 'deleteRange', from: bytes(from), to: bytes(to) })

/** The entries of a range as text. */
export async function scan(
  store: Store,
  from: string,
  to: string,
  options?: RangeOptions,
): Promise<[string, string][]> {
  const entries: [string, string][] = []
  for await (const [key, value] of store.range(bytes(from), bytes(to), options)) {
    entries.push([key.toString('latin1'), value.toString('latin1')])
  }
  return entries
}

/** Behind every key of the tests. */
export const END = '\xff\xff\xff\xff\xff\xff\xff\xff'

/** What every store engine does. */
export function storeContract(name: string, make: () => StoreEngine): void {
  describe(`${name} keeps the store contract`, () => {
    const engine = make()
    let root: string
    let count = 0
    const opened: Store[] = []
    const nextDirectory = () => join(root, `store-${++count}`)
    const open = async (directory = nextDirectory()) => {
      const store = await engine.open(directory)
      opened.push(store)
      return store
    }
    const filled = async (...writes: StoreWrite[]) => {
      const store = await open()
      await store.write(writes)
      return store
    }

    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), 'millrace-store-'))
    })
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
    })
    afterAll(() => rm(root, { recursive: true, force: true }))

    it('has a name', () => expect(engine.name).toBe(name))

    it('answers getMany in the order of the keys, undefined where a key is absent', async () => {
      const store = await filled(put('a', '1'), put('b', '2'), put('empty', ''))
      const values = await store.getMany(['b', 'nothing', 'a', 'b', 'empty'].map(bytes))
      expect(values.map(value => value?.toString())).toEqual(['2', undefined, '1', '2', ''])
      expect(await store.getMany([])).toEqual([])
    })

    it('knows its size on disk, roughly', async () => {
      const store = await open()
      const before = await store.sizeOnDisk()
      await store.write([put('a', 'x'.repeat(200_000))])
      const grown = (await store.sizeOnDisk()) - before
      expect(grown >= 200_000 || (name === 'memory' && grown === 0)).toBe(true)
    })

    it('applies the changes of a batch in their order', async () => {
      const store = await filled(put('a', '0'), put('b', '0'), put('c', '0'), put('d', '0'))
      await store.write([
        put('a', '1'),
        del('a'),
        put('b', '1'),
        delRange('b', 'd'),
        put('c', '2'),
        put('x', '1'),
        put('x', '2'),
        del('y'),
        put('y', '1'),
      ])
      expect(await scan(store, '', END)).toEqual([
        ['c', '2'],
        ['d', '0'],
        ['x', '2'],
        ['y', '1'],
      ])
    })

    it('deletes a range that was put earlier in the same batch, and nothing for a range that is empty', async () => {
      const store = await filled(put('k1', '1'), put('k2', '2'), delRange('k', 'k2'), put('m', '3'))
      await store.write([delRange('z', 'a'), delRange('m', 'm'), delRange('q', 'r'), del('absent')])
      expect(await scan(store, '', END)).toEqual([
        ['k2', '2'],
        ['m', '3'],
      ])
    })

    it('takes an empty batch', async () => {
      const store = await filled()
      expect(await scan(store, '', END)).toEqual([])
    })

    it('orders keys as unsigned bytes, a prefix first', async () => {
      const keys = ['a', 'a\0', 'a\0\0', 'aa', 'b', '\0', '\x7f', '\x80', '\xfe', '\xff', '\xff\xff']
      const store = await filled(...keys.map(key => put(key, key)))
      const sorted = [...keys].sort((a, b) => Buffer.compare(bytes(a), bytes(b)))
      expect((await scan(store, '', END)).map(([key]) => key)).toEqual(sorted)
      expect((await scan(store, 'a', 'b')).map(([key]) => key)).toEqual(['a', 'a\0', 'a\0\0', 'aa'])
      expect((await scan(store, '\x7f', '\xff')).map(([key]) => key)).toEqual(['\x7f', '\x80', '\xfe'])
    })

    it('scans [from, to) with a limit, and in reverse', async () => {
      const store = await filled(...[1, 2, 3, 4, 5].map(n => put(`k${n}`, `${n}`)))
      const values = async (from: string, to: string, options?: RangeOptions) =>
        (await scan(store, from, to, options)).map(([, value]) => value).join('')
      expect(await values('k2', 'k4')).toBe('23')
      expect(await values('k2', 'k4', { reverse: true })).toBe('32')
      expect(await values('', END, { limit: 2 })).toBe('12')
      expect(await values('', END, { limit: 2, reverse: true })).toBe('54')
      expect(await values('', END, { limit: 99 })).toBe('12345')
      expect(await values('', END, { limit: 0 })).toBe('')
      expect(await values('k4', 'k2')).toBe('')
      expect(await values('k4', 'k4')).toBe('')
      expect(await values('k4', '')).toBe('')
      expect(await values('k9', END)).toBe('')
    })

    it('scans more entries than it fetches at a time, with limits around that number', async () => {
      const store = await open()
      const keys = Array.from({ length: 1_300 }, (_, n) => `k${String(n).padStart(6, '0')}`)
      await store.write(keys.map(key => put(key, key)))
      expect((await scan(store, '', END)).map(([key]) => key)).toEqual(keys)
      for (const limit of [255, 256, 257, 512, 1_024, 1_300]) {
        const entries = await scan(store, '', END, { limit, reverse: true })
        expect(entries.map(([key]) => key)).toEqual(keys.slice(-limit).reverse())
      }
    })

    it('scans the entries as of the call of range, whatever is written afterwards', async () => {
      const store = await filled(put('a', '1'), put('b', '1'), put('c', '1'))
      const before = store.range(bytes(''), bytes(END))
      await store.write([put('a', '2'), del('b'), put('bb', '2'), delRange('c', 'd'), put('e', '2')])
      const seen: string[] = []
      for await (const [key, value] of before) {
        seen.push(`${key}${value}`)
        await store.write([put('zz', '3'), del('c')])
      }
      expect(seen).toEqual(['a1', 'b1', 'c1'])
      expect(await scan(store, '', 'z')).toEqual([
        ['a', '2'],
        ['bb', '2'],
        ['e', '2'],
      ])
    })

    it('holds nothing after a scan that its consumer left early or by an error', async () => {
      const store = await open()
      await store.write(Array.from({ length: 400 }, (_, n) => put(`k${n}`, 'v')))
      for (let round = 0; round < 200; round++) {
        for await (const [key] of store.range(bytes(''), bytes(END))) {
          expect(key.length).toBeGreaterThan(0)
          break
        }
      }
      const failing = async () => {
        for await (const [key] of store.range(bytes(''), bytes(END))) throw new Error(`stop at ${key}`)
      }
      await expect(failing()).rejects.toThrow('stop at k0')
      await store.close()
    })

    it('keeps copies: a caller may reuse its buffers after a write', async () => {
      const store = await open()
      const key = bytes('key')
      const value = bytes('value')
      await store.write([{ type: 'put', key, value }])
      key.fill('x')
      value.fill('x')
      expect(await scan(store, '', END)).toEqual([['key', 'value']])
    })

    it('applies writes that are not awaited in the order of their calls', async () => {
      const store = await open()
      await Promise.all(Array.from({ length: 200 }, (_, n) => store.write([put('k', `${n}`), delRange('l', 'm')])))
      expect(await scan(store, '', END)).toEqual([['k', '199']])
    })

    it('writes a batch of 20,000 changes and deletes a range of nearly all of them', async () => {
      const store = await open()
      const writes = Array.from({ length: 20_000 }, (_, n) => put(`k${String(n).padStart(5, '0')}`, 'v'.repeat(100)))
      await store.write(writes)
      await store.write([delRange('k00010', 'k19990')])
      expect((await scan(store, '', END)).length).toBe(20)
    })

    it('keeps its entries over close and open, until destroyed', async () => {
      const directory = nextDirectory()
      const first = await open(directory)
      await first.write([put('a', '1')])
      await first.close()
      const second = await open(directory)
      expect(await scan(second, '', END)).toEqual([['a', '1']])
      await second.close()
      await engine.destroy(directory)
      const third = await open(directory)
      expect(await scan(third, '', END)).toEqual([])
    })

    it('destroys a store that does not exist without complaint', async () => {
      await expect(engine.destroy(nextDirectory())).resolves.toBeUndefined()
    })

    it('keeps directories apart', async () => {
      const [a, b] = [await open(), await open()]
      await a.write([put('k', 'a')])
      await b.write([put('k', 'b')])
      expect([await scan(a, '', END), await scan(b, '', END)]).toEqual([[['k', 'a']], [['k', 'b']]])
    })

    it('refuses to open or destroy a store that is open, naming the directory', async () => {
      const directory = nextDirectory()
      await open(directory)
      const inUse = { code: 'STORE_IN_USE', message: expect.stringContaining(directory) }
      await expect(engine.open(directory)).rejects.toMatchObject(inUse)
      await expect(engine.open(join(directory, '..', `store-${count}`))).rejects.toMatchObject(inUse)
      await expect(engine.destroy(directory)).rejects.toMatchObject(inUse)
    })

    it('refuses every use after close; a second close does nothing', async () => {
      const store = await filled(put('a', '1'))
      const started = store.range(bytes(''), bytes(END))[Symbol.asyncIterator]()
      const unread = store.range(bytes(''), bytes(END))[Symbol.asyncIterator]()
      await store.close()
      await store.close()
      const closed = { code: 'STORE', message: expect.stringContaining('after it was closed') }
      await expect(store.getMany([bytes('a')])).rejects.toMatchObject(closed)
      await expect(store.write([put('a', '2')])).rejects.toMatchObject(closed)
      await expect(scan(store, '', END)).rejects.toMatchObject(closed)
      await expect(started.next()).rejects.toMatchObject(closed)
      await expect(unread.next()).rejects.toMatchObject(closed)
      await expect(started.next()).resolves.toMatchObject({ done: true })
    })

    it('closes while a scan is half read; the scan then fails', async () => {
      const store = await open()
      await store.write(Array.from({ length: 2_000 }, (_, n) => put(`k${n}`, 'v')))
      const entries = store.range(bytes(''), bytes(END))[Symbol.asyncIterator]()
      await entries.next()
      await store.close()
      await expect(entries.next()).rejects.toBeInstanceOf(MillraceError)
    })

    it('lets running operations end before it closes', async () => {
      const directory = nextDirectory()
      const store = await open(directory)
      const writes = Array.from({ length: 20 }, (_, n) => store.write([put(`k${n}`, `${n}`)]))
      const reads = store.getMany([bytes('k0')])
      await store.close()
      await Promise.all([...writes, reads])
      const again = await open(directory)
      expect((await scan(again, '', END)).length).toBe(20)
    })

    it('equals a sorted map under random changes, scans and restarts', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
          const directory = nextDirectory()
          const model = new Map<string, string>()
          let store = await engine.open(directory)
          try {
            for (const current of steps) {
              if (current.type === 'write') {
                await store.write(current.batch)
                for (const change of current.batch) applyToModel(model, change)
              } else if (current.type === 'reopen') {
                await store.close()
                store = await engine.open(directory)
              } else {
                expect(await scan(store, current.from, current.to, current.options)).toEqual(
                  rangeOfModel(model, current),
                )
              }
            }
            const keys = [...model.keys(), 'absent']
            const values = await store.getMany(keys.map(bytes))
            expect(values.map(value => value?.toString('latin1'))).toEqual(keys.map(key => model.get(key)))
          } finally {
            await store.close()
            await engine.destroy(directory)
          }
        }),
        { numRuns: 40 },
      )
    })
  })
}

interface Scan {
  readonly type: 'scan'
  readonly from: string
  readonly to: string
  readonly options: RangeOptions
}

const key = fc
  .array(fc.constantFrom('\0', 'a', 'b', '\x7f', '\x80', '\xff'), { minLength: 1, maxLength: 3 })
  .map(characters => characters.join(''))
const bound = fc.oneof(key, fc.constant(''))
const change = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(key, fc.string({ maxLength: 3 })).map(([k, v]) => put(k, v)) },
  { weight: 2, arbitrary: key.map(del) },
  { weight: 1, arbitrary: fc.tuple(bound, bound).map(([from, to]) => delRange(from, to)) },
)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('write' as const), batch: fc.array(change, { maxLength: 8 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('scan' as const),
      from: bound,
      to: bound,
      options: fc.record(
        { limit: fc.integer({ min: 0, max: 6 }), reverse: fc.boolean() },
        { requiredKeys: [], noNullPrototype: true },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reopen' as const) }) },
)

/** Text of characters 0 to 255 compares as its bytes do. */
const within = (from: string, to: string) => (k: string) => from <= k && k < to

function applyToModel(model: Map<string, string>, applied: StoreWrite): void {
  if (applied.type === 'put') model.set(applied.key.toString('latin1'), applied.value.toString('latin1'))
  else if (applied.type === 'delete') model.delete(applied.key.toString('latin1'))
  else {
    const inside = within(applied.from.toString('latin1'), applied.to.toString('latin1'))
    for (const k of [...model.keys()].filter(inside)) model.delete(k)
  }
}

function rangeOfModel(model: Map<string, string>, { from, to, options }: Scan): [string, string][] {
  const entries = [...model].filter(([k]) => within(from, to)(k)).sort(([a], [b]) => (a < b ? -1 : 1))
  if (options.reverse) entries.reverse()
  return entries.slice(0, options.limit)
}
