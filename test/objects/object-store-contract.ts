import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../src/ports/object-store.js'

interface Subject {
  open(): ObjectStore
  /** What it holds, by the whole key. */
  contents(): Map<string, Buffer>
  /** What a whole key has before a key. */
  readonly keyPrefix: string
}

/** What every object store must do. */
export function objectStoreContract(name: string, { open, contents, keyPrefix }: Subject): void {
  describe(`${name} as an object store`, () => {
    it('keeps bytes under a key, the last ones where there were others', async () => {
      const store = open()
      const large = randomBytes(3_000_000)
      await store.put('a/large', large)
      await store.put('empty', Buffer.alloc(0))
      await store.put('k', Buffer.from('first'))
      await store.put('k', Buffer.from('second'))
      expect(contents().get(`${keyPrefix}a/large`)?.equals(large)).toBe(true)
      expect(contents().get(`${keyPrefix}empty`)).toEqual(Buffer.alloc(0))
      expect(contents().get(`${keyPrefix}k`)?.toString()).toBe('second')
      expect(contents().size).toBe(3)
    })

    it('keeps keys of any characters, whose address ends with them', async () => {
      const store = open()
      for (const key of ['a b/c+d', 'größe/日本', "it's=(1)!*&<x>", '%2F']) {
        await store.put(key, Buffer.from(key))
        expect(contents().get(`${keyPrefix}${key}`)?.toString()).toBe(key)
        expect(store.url(key).endsWith(`/${keyPrefix}${key}`)).toBe(true)
      }
    })

    it('takes many writes at once', async () => {
      const store = open()
      await Promise.all(Array.from({ length: 40 }, (_, n) => store.put(`k${n}`, Buffer.from(String(n)))))
      expect(contents().size).toBe(40)
    })

    it('deletes what is there, and what is not is no error', async () => {
      const store = open()
      await store.put('gone', Buffer.from('x'))
      await store.put('kept', Buffer.from('x'))
      await store.delete(['gone', 'never'])
      await store.delete([])
      expect(Array.from(contents().keys())).toEqual([`${keyPrefix}kept`])
    })

    it('refuses to work after it was closed, twice too', async () => {
      const store = open()
      await store.put('k', Buffer.from('x'))
      await store.close()
      await store.close()
      await expect(store.put('k', Buffer.from('x'))).rejects.toMatchObject({ code: 'OBJECT_STORE' })
      await expect(store.delete(['k'])).rejects.toMatchObject({ code: 'OBJECT_STORE' })
    })

    it('has a name', () => expect(open().name).toMatch(/\w/))
  })
}
