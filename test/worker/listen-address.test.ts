import { describe, expect, it } from 'vitest'
import { listenAddress, shownAddress } from '../../src/worker/listen-address.js'

describe('listenAddress', () => {
  it.each([
    ['127.0.0.1:9095', { host: '127.0.0.1', port: 9_095 }],
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
  ])('reads %s, and shows it the same way', (text, address) => {
    expect(listenAddress(text)).toEqual(address)
    expect(shownAddress(address)).toBe(text)
  })

  it('reads off', () => {
    expect(listenAddress('off')).toBe('off')
  })

  it.each([
    '',
    '9095',
    ':9095',
    'localhost',
    'localhost:',
    '::1:80',
    'host:65536',
    'host:-1',
    'http://host:80',
    'a b:80',
  ])('refuses %j', text => expect(() => listenAddress(text)).toThrow(/must be HOST:PORT/))
})
