import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { registryAddress } from '../../src/cli/registry-address.js'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-registry-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true })
})

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

describe('the address of a registry', () => {
  it('is one or several addresses, printed without user and password', () => {
    const { urls, authorization } = registryAddress('http://a:8081/, https://me:s%20ecret@b/apis/ccompat/v7', {})
    expect(urls).toEqual(['http://a:8081', 'https://b/apis/ccompat/v7'])
    expect(authorization?.()).toBeUndefined()
    expect(registryAddress('http://me:s%20ecret@b', {}).authorization?.()).toBe(basic('me:s ecret'))
  })

  it.each(['', 'localhost:8081', 'ftp://u:hunter2@a', 'http://a,,http://b', 'http://a?password=hunter2'])(
    '"%s" is none, and is not repeated',
    text => {
      expect(() => registryAddress(text, {})).toThrow('http://host:8081')
      expect(() => registryAddress(text, {})).not.toThrow('hunter2')
    },
  )
})

describe('who asks', () => {
  it('is a user and a password, of variables before the address', () => {
    const environment = { MILLRACE_REGISTRY_USER: 'key', MILLRACE_REGISTRY_PASSWORD: 'pässword' }
    expect(registryAddress('http://me:other@a', environment).authorization?.()).toBe(basic('key:pässword'))
    expect(registryAddress('http://me@a', { MILLRACE_REGISTRY_PASSWORD: 'p' }).authorization?.()).toBe(basic('me:p'))
  })

  it('is a token, read again each time, since it is renewed in its file', () => {
    const file = join(directory, 'token')
    writeFileSync(file, 'first\n')
    const { authorization } = registryAddress('http://a', { MILLRACE_REGISTRY_TOKEN_FILE: file })
    expect(authorization?.()).toBe('Bearer first')
    writeFileSync(file, 'second\n')
    expect(authorization?.()).toBe('Bearer second')
  })

  it('is one of the two, and a file that is missing is said at once', () => {
    const both = { MILLRACE_REGISTRY_TOKEN: 'hunter2', MILLRACE_REGISTRY_USER: 'me' }
    expect(() => registryAddress('http://a', both)).toThrow('both a user and MILLRACE_REGISTRY_TOKEN')
    expect(() => registryAddress('http://a', { MILLRACE_REGISTRY_TOKEN_FILE: join(directory, 'none') })).toThrow(
      'MILLRACE_REGISTRY_TOKEN_FILE',
    )
  })
})

describe('certificates', () => {
  it('are texts, or files', () => {
    const file = join(directory, 'ca.pem')
    writeFileSync(file, 'authority\n')
    const environment = {
      MILLRACE_REGISTRY_CA_FILE: file,
      MILLRACE_REGISTRY_CERTIFICATE: 'certificate',
      MILLRACE_REGISTRY_KEY: 'key',
      MILLRACE_REGISTRY_KEY_PASSWORD: 'word',
    }
    expect(registryAddress('https://a', environment).tls).toEqual({
      ca: 'authority',
      cert: 'certificate',
      key: 'key',
      passphrase: 'word',
    })
  })
})
