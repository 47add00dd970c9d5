import { mechanismOf } from './security.js'
import type { KafkaSettings } from './settings.js'

/** Why a connection could not be made, from a line of librdkafka's log. */
export interface ConnectionFailure {
  readonly reason: string
  /** What to check; empty where the reason says it. */
  readonly advice: string
  /** Trying again does not help: somebody has to change something. */
  readonly lasting: boolean
}

/** What is in front of the reason: thread and broker; and behind it: how long that took. */
const FRAME = /^\[thrd:.*?\]: (?:\S+: )?|\s*\(after \d+ms in state \w+(?:, \d+ identical error\(s\) suppressed)?\)$/g

/** Reads a log line of the facility FAIL. */
export function connectionFailure(line: string, settings: KafkaSettings): ConnectionFailure {
  const reason = line.replaceAll(FRAME, '')
  if (/certificate verify failed/.test(reason)) {
    const authority = settings['ssl.ca.location'] ?? 'not set, so that the authorities of this machine count'
    return {
      reason: 'the certificate of the broker was not accepted (certificate verify failed)',
      advice: `Either its authority is unknown: set ssl.ca.location (${authority}) to the PEM file of the authority. Or it is for another host name than the one that the broker was asked for by: use the name in the certificate.`,
      lasting: true,
    }
  }
  if (/PLAINTEXT broker listener/i.test(reason)) {
    // A guess of librdkafka's: a broker that stops closes connections, too.
    return { reason, advice: 'Check the port, and security.protocol.', lasting: false }
  }
  if (/SSL handshake failed|SSL routines/.test(reason)) {
    // A broker that stops in the middle of a handshake looks like one that refuses it.
    const lasting = !/closed|reset|timed out|transport/i.test(reason)
    return { reason, advice: 'Check the port, security.protocol and the ssl settings.', lasting }
  }
  if (/SASL authentication error|SASL \S+ mechanism handshake failed|SaslAuthenticateRequest failed/.test(reason)) {
    const mechanism = mechanismOf(settings) ?? 'SASL'
    const credentials = mechanism === 'OAUTHBEARER' ? 'what the token stands for' : 'sasl.username and sasl.password'
    return {
      reason,
      advice: `The mechanism is ${mechanism}: check that the user has credentials of it, and check ${credentials}.`,
      // "Local" is what librdkafka found, such as a lost connection; the broker has decided nothing.
      lasting: !/\bLocal: /.test(reason),
    }
  }
  if (/state APIVERSION_QUERY/.test(line)) {
    const advice = 'If that stays so, the listener wants TLS or SASL: check the port, and security.protocol.'
    return { reason, advice, lasting: false }
  }
  return { reason, advice: '', lasting: false }
}
