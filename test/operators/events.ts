import { avro, fromTopic } from 'millrace'

export interface QuestEvent {
  readonly questType: string
  readonly eventType: 'STARTED' | 'COMPLETED' | 'ABANDONED'
  readonly rewardGold: number
  readonly durationMs: number | null
  readonly userId: string
  readonly occurredAt: number
}

export const questEvent = avro<QuestEvent>({
  type: 'record',
  name: 'QuestEvent',
  namespace: 'test',
  fields: [
    { name: 'questType', type: 'string' },
    { name: 'eventType', type: { type: 'enum', name: 'EventType', symbols: ['STARTED', 'COMPLETED', 'ABANDONED'] } },
    { name: 'rewardGold', type: 'int' },
    { name: 'durationMs', type: ['null', 'long'], default: null },
    { name: 'userId', type: 'string' },
    { name: 'occurredAt', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
})

export const events = fromTopic('quest-events', { value: questEvent, timestamp: 'occurredAt' })

export function event(fields: Partial<QuestEvent> = {}): QuestEvent {
  return {
    questType: 'hunt',
    eventType: 'COMPLETED',
    rewardGold: 5,
    durationMs: 1_000,
    userId: 'u1',
    occurredAt: 1_000,
    ...fields,
  }
}
