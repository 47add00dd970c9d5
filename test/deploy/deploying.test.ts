import { expect, it } from 'vitest'
import { flagsOf } from '../docs/cli.js'
import { codeBlocks, textOf } from '../docs/markdown.js'
import { isSecretVariable, knownFlags } from './variables.js'

const PAGE = 'docs/deploying.md'

it('names flags, variables and metrics that there are', { timeout: 120_000 }, async () => {
  const text = textOf(PAGE)
  const { flags, variables } = await knownFlags()
  const inline = [...text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`(--[a-z-]+)[^`]*`/g)]
  const named = inline.map(([, flag = '']) => flag)
  expect(named.length).toBeGreaterThan(5)
  expect(named.filter(flag => !flags.has(flag))).toEqual([])
  const set = [...text.matchAll(/\b(MILLRACE_[A-Z_]+)/g)].map(([, name = '']) => name)
  expect(set.filter(name => !variables.has(name) && !isSecretVariable(name))).toEqual([])
  const metrics = [...text.matchAll(/`(millrace_[a-z_]+)`/g)].map(([, name = '']) => name)
  expect(metrics.length).toBeGreaterThan(3)
  expect(metrics.filter(name => !textOf('docs/metrics.md').includes(`\`${name}\``))).toEqual([])
})

it('shows calls of millrace with flags of the command', { timeout: 60_000 }, async () => {
  const shell = codeBlocks().filter(({ page, language }) => page === PAGE && language === 'sh')
  const calls = shell.flatMap(({ text }) => text.split('\n').filter(line => line.startsWith('millrace ')))
  expect(calls.length).toBeGreaterThan(3)
  for (const call of calls) {
    const flags = (await flagsOf(call.split(' ')[1] as string)).map(({ flag }) => flag.split(' ')[0])
    const used = [...call.replace(/#.*/, '').matchAll(/ (--[a-z-]+)/g)].map(([, flag]) => flag)
    expect(flags).toEqual(expect.arrayContaining(used))
  }
})
