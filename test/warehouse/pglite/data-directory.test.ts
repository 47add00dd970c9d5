import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dataDirectory } from '../../../src/warehouse/pglite/data-directory.js'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-pglite-data-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

describe('dataDirectory', () => {
  it('is made whole, and what crashes left goes', { timeout: 60_000 }, async () => {
    const left = join(directory, 'data-1-2.new')
    mkdirSync(left)
    writeFileSync(join(left, 'PG_VERSION'), '18')
    expect(await dataDirectory(directory)).toBe(join(directory, 'data'))
    expect(readdirSync(directory)).toEqual(['data'])
    expect(existsSync(join(directory, 'data', 'PG_VERSION'))).toBe(true)
  })

  it('is made while the initdb of a killed process still writes', { timeout: 60_000 }, async () => {
    const left = join(directory, 'data-1-2.new')
    mkdirSync(left)
    let written = 0
    const writing = setInterval(() => {
      if (existsSync(left)) writeFileSync(join(left, `${written++}`), '')
    }, 1)
    setTimeout(() => clearInterval(writing), 1_000)
    expect(await dataDirectory(directory)).toBe(join(directory, 'data'))
    expect(written).toBeGreaterThan(0)
    expect(readdirSync(directory)).toEqual(['data'])
  })

  it('is left as it is where it exists', async () => {
    mkdirSync(join(directory, 'data'))
    writeFileSync(join(directory, 'data', 'mine'), '')
    expect(await dataDirectory(directory)).toBe(join(directory, 'data'))
    expect(readdirSync(join(directory, 'data'))).toEqual(['mine'])
  })

  it('says what initdb said', { timeout: 60_000 }, async () => {
    // Under a directory that cannot hold it: a file where the new one is to be made.
    const missing = join(directory, 'gone')
    mkdirSync(missing)
    const making = dataDirectory(missing)
    rmSync(missing, { recursive: true })
    writeFileSync(missing, '')
    await expect(making).rejects.toThrow()
    expect(existsSync(join(missing, 'data'))).toBe(false)
  })
})
