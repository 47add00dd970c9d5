import { describe, expect, it } from 'vitest'
import { connectionFailure } from '../../../src/log/kafka/connection-failure.js'

const scram = { 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'SCRAM-SHA-512', 'ssl.ca.location': '/run/ca.pem' }
/** A line as librdkafka 2.12 writes it. */
const line = (reason: string, state = 'AUTH_REQ') =>
  `[thrd:sasl_ssl://b:9092/bootstrap]: sasl_ssl://b:9092/bootstrap: ${reason} (after 316ms in state ${state}, 2 identical error(s) suppressed)`

describe('connectionFailure', () => {
  it.each([
    'SASL authentication error: Authentication failed: Invalid username or password',
    "SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: PLAIN",
  ])('names the mechanism: %s', reason => {
    expect(connectionFailure(line(reason), scram)).toEqual({
      reason,
      advice: expect.stringMatching(/mechanism is SCRAM-SHA-512: .* check sasl\.username and sasl\.password/),
      lasting: true,
    })
  })

  it('takes a connection that was lost on the way for no answer', () => {
    const lost =
      "SASL PLAIN mechanism handshake failed: Local: Broker transport failure: broker's supported mechanisms: (n/a)"
    expect(connectionFailure(line(lost), scram).lasting).toBe(false)
  })

  it('asks what a token stands for', () => {
    const settings = { ...scram, 'sasl.mechanism': 'OAUTHBEARER' }
    expect(connectionFailure(line('SASL authentication error: {"status":"invalid_token"}'), settings)).toMatchObject({
      advice: expect.stringMatching(/OAUTHBEARER: .* check what the token stands for/),
    })
  })

  it('names the file of the authority, and the host name', () => {
    const reason = 'SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate …'
    expect(connectionFailure(line(reason, 'SSL_HANDSHAKE'), scram)).toEqual({
      reason: 'the certificate of the broker was not accepted (certificate verify failed)',
      advice: expect.stringMatching(/ssl\.ca\.location \(\/run\/ca\.pem\).*host name/),
      lasting: true,
    })
    expect(connectionFailure(line(reason), {}).advice).toContain('ssl.ca.location (not set, so that')
  })

  it.each([
    ['SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?', 'SSL_HANDSHAKE', false],
    ['SSL handshake failed: Disconnected: Connection reset by peer', 'SSL_HANDSHAKE', false],
    ['SSL handshake failed: error:0A00010B:SSL routines::wrong version number', 'SSL_HANDSHAKE', true],
    ['Disconnected: connection closed by peer: receive 0 after POLLIN', 'APIVERSION_QUERY', false],
  ])('asks for port and protocol: %s', (reason, state, lasting) => {
    expect(connectionFailure(line(reason, state), scram)).toEqual({
      reason,
      advice: expect.stringMatching(/check the port, (and )?security\.protocol/i),
      lasting,
    })
  })

  it('of what passes says only the reason', () => {
    const reason = "Failed to resolve 'b:9092': Name or service not known"
    expect(connectionFailure(line(reason, 'CONNECT'), scram)).toEqual({ reason, advice: '', lasting: false })
    expect(connectionFailure('Connection refused', {}).reason).toBe('Connection refused')
  })
})
