import { describe, expect, it } from 'vitest'
import { isTransient, logError } from '../../../src/log/kafka/kafka-error.js'

const clean = (text: string) => text.replaceAll('sesame', '***')
const errorOf = (code: number, flags: object = {}) =>
  logError('Kafka at b', 'Committing', { code, message: 'no: sesame', ...flags }, clean)

describe('a failure of Kafka', () => {
  it('is to be aborted where Kafka says so, fatal else, and names no secret', () => {
    expect(errorOf(25, { isTxnRequiresAbort: true })).toMatchObject({
      action: 'abort',
      code: 'LOG',
      message: 'Committing at Kafka at b failed: no: *** (code 25).',
    })
    expect(errorOf(25)).toMatchObject({ action: 'fatal' })
    expect(errorOf(25, { isTxnRequiresAbort: true, isFatal: true })).toMatchObject({ action: 'fatal' })
  })

  it('that fences is fatal, whatever else it says', () => {
    for (const code of [-144, 47, 82, 90]) {
      expect(errorOf(code, { isTxnRequiresAbort: true })).toMatchObject({ action: 'fatal', code: 'LOG_FENCED' })
    }
  })

  it('says what to do where that is known', () => {
    expect(errorOf(29).message).toContain('ACL')
    expect(errorOf(76).message).toContain('libzstd-dev')
    expect(errorOf(-169).message).toContain('credentials')
  })

  it('that somebody has to grant something for is refused', () => {
    for (const code of [-169, 29, 30, 31, 53])
      expect(errorOf(code)).toMatchObject({ action: 'fatal', code: 'LOG_REFUSED' })
  })

  it('is tried again where the client says so, or its code does', () => {
    expect(isTransient({ code: 25, message: '', isRetriable: true })).toBe(true)
    expect(isTransient({ code: -185, message: '', isRetriable: false })).toBe(false)
    expect(isTransient({ code: -185, message: '' })).toBe(true)
    expect(isTransient({ code: 25, message: '' })).toBe(false)
  })
})
