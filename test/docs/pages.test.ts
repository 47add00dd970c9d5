import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fromTopic, to, topic, topology } from 'millrace'
import { describe, expect, test } from 'vitest'
import { questEvent } from '../../schemas/quest-event.js'
import { planTopics } from '../../src/runtime/topic-plan.js'
import questMinute from '../../topologies/quest-minute.js'
import { sourceFiles } from '../architecture/import-graph.js'
import { compileAt } from '../types/compile.js'
import { flagsOf, millrace } from './cli.js'
import { codeBlocks, pages, ROOT, tableUnder, textOf } from './markdown.js'

const blocks = codeBlocks()
const inReadme = (language: string, containing: string): string => {
  const found = blocks.filter(b => b.page === 'README.md' && b.language === language && b.text.includes(containing))
  expect(found).toHaveLength(1)
  return found[0]?.text ?? ''
}

describe('pages', { timeout: 120_000 }, () => {
  test.each(pages())('the links of %s lead somewhere', page => {
    const links = [...textOf(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link)
    const paths = links.filter(link => !link.includes(':')).map(link => normalize(join(dirname(page), link)))
    expect(paths.filter(path => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('TypeScript that is quoted from a file stands in it', () => {
    const quoted = blocks.filter(block => block.language === 'ts' && block.source !== '')
    expect(quoted.map(({ source }) => source)).toEqual(['topologies/quest-minute.ts', 'test/docs/quest-minute.test.ts'])
    for (const { source, text } of quoted) expect(textOf(source)).toContain(text)
  })

  test('other TypeScript compiles beside the topologies', () => {
    const own = blocks.filter(block => block.language === 'ts' && block.source === '')
    expect(own.length).toBeGreaterThan(0)
    const folder = join(ROOT, 'topologies')
    const said = compileAt(
      folder,
      own.map(({ text }) => text),
    )
    expect(own.map(({ page, line }, i) => ({ page, line, said: said[i] })).filter(b => b.said?.length !== 0)).toEqual(
      [],
    )
  })
})

describe('README', { timeout: 120_000 }, () => {
  test('shows the graph that describe prints', async () => {
    const described = await millrace('describe', 'topologies/quest-minute.ts', '--format', 'mermaid')
    expect(inReadme('mermaid', 'flowchart')).toBe(described)
  })

  test('shows the error that check prints', async () => {
    // A folder of its own, so that whoever reads topologies/ at the same time does not see the broken file.
    mkdirSync(join(ROOT, '.millrace'), { recursive: true })
    const folder = mkdtempSync(join(ROOT, '.millrace/docs-'))
    const file = join(folder, 'quest-minute.ts')
    const text = textOf('topologies/quest-minute.ts').replace("'../schemas/", "'../../schemas/")
    writeFileSync(file, text.replace("sum('rewardGold')", "sum('rewardGolds')"))
    try {
      const said = (await millrace('check', file)).replace(/^\S+(?=:\d+:\d+)/, 'topologies/quest-minute.ts')
      expect(inReadme('text', 'rewardGolds')).toBe(said)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('lists the flags of run with their variables and defaults', async () => {
    const listed = tableUnder('README.md', '## Run it').map(([flag, variable, value, description]) => {
      return { flag, description, variable, default: value }
    })
    expect(listed.length).toBeGreaterThan(10)
    expect(listed).toEqual(await flagsOf('run'))
  })
})

describe('operating', () => {
  test('topics are made with the settings that it lists', () => {
    const listed = new Map(tableUnder('docs/operating.md', '## Topics').map(([name, , settings]) => [name, settings]))
    const events = fromTopic('quest-events', { value: questEvent })
    const copies = topology('quest-minute', events.pipe(to(topic('copies'))))
    const plans = [questMinute, copies].map(one => planTopics(one, new Map([['quest-events', 8]])))
    const made = new Map<string, string>()
    for (const { name, config } of plans.flatMap(plan => [...plan.internal, ...plan.outputs])) {
      const settings = Object.entries(config).map(([key, value]) => `${key}=${value}`)
      const [, kind] = /^quest-minute-.*?(repartition|changelog|rows|progress|dead-letters)$/.exec(name) ?? []
      const part = { repartition: '<name>-', changelog: '<name>-', rows: '<table>-' }[kind ?? ''] ?? ''
      made.set(kind ? `<group>-${part}${kind}` : 'topics of to(topic(…))', settings.join(' '))
    }
    expect(made).toEqual(listed)
  })
})

describe('architecture', () => {
  const page = textOf('docs/architecture.md')
  const named = [...page.matchAll(/`((?:src|test|docs|topologies|schemas)\/[\w./-]*)`/g)].map(([, path = '']) => path)

  test('every file and folder that it names exists', () => {
    expect(named.length).toBeGreaterThan(30)
    expect(named.filter(path => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('it names every folder of src that holds files', () => {
    const folders = new Set(sourceFiles(ROOT, 'src').map(file => `${dirname(file)}/`))
    expect([...folders].filter(folder => folder !== 'src/' && !named.includes(folder))).toEqual([])
  })
})
