import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Group, GroupMember } from '../../../src/log/embedded/group.js'
import { partitionId, type TopicPartition } from '../../../src/model/topic-partition.js'

const member = (name: string, topics = ['a']) => {
  const made = new GroupMember(name, () => undefined)
  made.topics = topics
  return made
}
const ids = (partitions: readonly TopicPartition[]) => partitions.map(partitionId)

describe('a group of the embedded log', () => {
  it('takes from the former owner only what moves, and hands it on after its release', () => {
    const group = new Group(1_000, () => 4)
    const [first, second] = [member('m0'), member('m1')]
    group.join(first, 0)
    expect(ids(group.take(first).assigned)).toEqual(['a/0', 'a/1', 'a/2', 'a/3'])
    group.join(second, 0)
    expect(group.take(second).assigned).toEqual([])
    const { assigned, revoked } = group.take(first)
    expect([ids(assigned), ids(revoked)]).toEqual([[], ['a/2', 'a/3']])
    group.release(first, [{ topic: 'a', partition: 3 }])
    expect(ids(group.take(second).assigned)).toEqual(['a/3'])
    group.release(first, revoked)
    expect(ids(group.take(second).assigned)).toEqual(['a/2'])
  })

  it('takes all from a member that did not poll for the session timeout, and lets it join again after it let go', () => {
    const group = new Group(1_000, () => 2)
    const [silent, other] = [member('m0'), member('m1')]
    group.join(silent, 0)
    const [held] = group.take(silent).assigned
    group.join(other, 1_000)
    expect(group.take(other).assigned).toEqual([])
    group.join(other, 1_001)
    expect(ids(group.take(other).assigned)).toEqual(['a/0', 'a/1'])
    expect(group.refusal(silent, [])).toMatch(/session timeout/)
    expect(group.refusal(other, [held as TopicPartition])).toBeUndefined()
    group.join(silent, 1_002)
    const { assigned, lost } = group.take(silent)
    expect([assigned, ids(lost)]).toEqual([[], ['a/0', 'a/1']])
    expect(group.refusal(silent, [held as TopicPartition])).toBe('a/0 belongs to another member')
    group.release(other, group.take(other).revoked)
    expect(group.take(silent).assigned).toEqual([])
    group.release(silent, lost)
    expect(ids(group.take(silent).assigned)).toEqual(['a/0'])
  })

  it('does not report a loss that was answered by the release of a revocation', () => {
    const group = new Group(1_000, () => 2)
    const [slow, other] = [member('m0'), member('m1')]
    group.join(slow, 0)
    group.take(slow)
    group.join(other, 0)
    const { revoked } = group.take(slow)
    group.expire(2_000)
    group.release(slow, revoked)
    group.join(slow, 2_000)
    const { assigned, lost } = group.take(slow)
    expect(ids(assigned).filter(id => ids(lost).includes(id))).toEqual([])
    expect(ids(lost)).toEqual(['a/0'])
    group.release(slow, lost)
    expect(ids(group.take(slow).assigned)).toEqual(['a/0'])
    expect(group.refusal(slow, assigned)).toBeUndefined()
  })

  it('does not give up a member whose poll takes long', () => {
    const group = new Group(1_000, () => 1)
    const slow = member('m0')
    group.join(slow, 0)
    slow.polling = true
    group.expire(50_000)
    expect(slow.joined).toBe(true)
  })

  it('lets a consumer without a subscription commit only while nobody is in the group', () => {
    const group = new Group(1_000, () => 1)
    const operator = member('m9', [])
    group.join(operator, 0)
    expect(group.refusal(operator, [{ topic: 'a', partition: 0 }])).toBeUndefined()
    group.join(member('m0'), 0)
    expect(group.refusal(operator, [{ topic: 'a', partition: 0 }])).toBeDefined()
  })

  it('never has two owners of a partition, and ends with the range assignment, whatever the order of events', () => {
    const step = fc.record({
      who: fc.nat(3),
      what: fc.constantFrom('join', 'take', 'release', 'leave', 'wait'),
    })
    const cases = fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const group = new Group(10, () => 5)
      const members = [0, 1, 2, 3].map(i => member(`m${i}`, ['a', 'b']))
      /** What each member believes to own: told, and neither asked back nor lost. */
      const believed = members.map(() => new Set<string>())
      const asked = members.map((): TopicPartition[] => [])
      let now = 0
      const take = (who: number) => {
        const { assigned, revoked, lost } = group.take(members[who] as GroupMember)
        for (const at of [...revoked, ...lost]) asked[who]?.push(at)
        // A loss is known to the group at once and to the member at its next poll.
        for (const at of lost) believed[who]?.delete(partitionId(at))
        for (const at of assigned) believed[who]?.add(partitionId(at))
      }
      const release = (who: number) => {
        const partitions = asked[who]?.splice(0) ?? []
        for (const at of partitions) believed[who]?.delete(partitionId(at))
        group.release(members[who] as GroupMember, partitions)
      }
      for (const { who, what } of steps) {
        const one = members[who] as GroupMember
        if (what === 'join') group.join(one, now)
        if (what === 'take' && one.joined) take(who)
        if (what === 'release') release(who)
        if (what === 'leave') group.leave(one)
        if (what === 'wait') now += 4
        const owned = members.flatMap(({ held }) => [...held.keys()])
        expect(new Set(owned).size).toBe(owned.length)
      }
      for (let round = 0; round < 4; round++) {
        for (const who of members.keys()) {
          group.join(members[who] as GroupMember, now)
          take(who)
          release(who)
        }
      }
      const sizes = members.map(({ held }) => held.size)
      expect(sizes).toEqual([4, 2, 2, 2])
      expect(believed.map(set => set.size)).toEqual(sizes)
    })
    fc.assert(cases)
  })
})
