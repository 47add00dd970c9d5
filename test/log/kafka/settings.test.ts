import { describe, expect, it } from 'vitest'
import { checkSettings, clientSettings, redact } from '../../../src/log/kafka/settings.js'

describe('Kafka settings', () => {
  it('take the user over the defaults, and what correctness rests on over both', () => {
    const { global } = clientSettings('b:9092', { 'linger.ms': 5 }, { 'linger.ms': 50 }, { 'group.id': 'g' })
    expect(global).toEqual({ 'client.id': 'millrace', 'linger.ms': 50, 'group.id': 'g', 'bootstrap.servers': 'b:9092' })
  })

  it('go to the level where librdkafka keeps them', () => {
    const { global, topic } = clientSettings('b', {}, { acks: 'all', 'compression.codec': 'lz4' }, {})
    expect(topic).toEqual({ acks: 'all' })
    expect(global).toMatchObject({ 'compression.codec': 'lz4' })
  })

  it('of classic groups are left out where the broker decides them', () => {
    const user = { 'session.timeout.ms': 6_000 }
    expect(clientSettings('b', {}, user, { 'group.protocol': 'consumer' }).global).not.toHaveProperty(
      'session.timeout.ms',
    )
    expect(clientSettings('b', {}, user, { 'group.protocol': 'classic' }).global).toMatchObject(user)
  })

  it('that Millrace sets itself are refused, all by name', () => {
    expect(() => checkSettings({ 'enable.auto.commit': true, 'group.id': 'x', 'linger.ms': 1 })).toThrow(
      /enable\.auto\.commit, group\.id\./,
    )
    expect(() => checkSettings({ 'linger.ms': 1 })).not.toThrow()
  })

  it('keep their secrets out of messages', () => {
    const settings = {
      'sasl.password': 'open sesame',
      'ssl.key.password': 'k3y',
      'sasl.username': 'ali',
      'linger.ms': 5,
    }
    expect(redact('ali said open sesame, then k3y and open sesame', settings)).toBe('ali said ***, then *** and ***')
  })
})
