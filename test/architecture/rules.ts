import type { Import } from './import-graph.js'

/** What the files of one part of the package may import. */
interface Rule {
  /** Other parts. */
  readonly parts: readonly string[]
  /** npm packages and Node's own modules. */
  readonly packages?: readonly string[]
  /** Packages of which only types may be imported. */
  readonly types?: readonly string[]
}

const DSL = ['model', 'ports', 'topology', 'windows', 'aggregates', 'operators']
const ADAPTERS = [
  'log/kafka',
  'log/embedded',
  'state/rocksdb',
  'state/memory',
  'serde',
  'warehouse/row',
  'warehouse/sql',
  'warehouse/postgres',
  'warehouse/redshift',
  'warehouse/pglite',
  'warehouse/memory',
  'objects/s3',
  'metrics',
]

/** Packages that are native, or connect to a server, or are a server: nobody loads them who does not use them. */
export const DRIVERS = [
  'node-rdkafka',
  'aws-msk-iam-sasl-signer-js',
  'rocksdb-native',
  'rocksdb',
  'pg',
  'pg-copy-streams',
  '@electric-sql/pglite',
  '@aws-sdk/client-s3',
  '@aws-sdk/client-redshift',
  '@aws-sdk/client-redshift-serverless',
  'prom-client',
  'fastify',
]

/** What every adapter may use besides its driver. */
const ADAPTER_PARTS = ['model', 'ports']
const NODE = [
  'node:crypto',
  'node:fs',
  'node:fs/promises',
  'node:path',
  'node:stream',
  'node:stream/promises',
  'node:timers/promises',
  'node:util',
  'node:zlib',
]

/**
 * The table of DESIGN section 7. A part is a folder of `src`; each folder of `log`, `objects`, `state` and `warehouse` is a part
 * of its own, and `index` and `testing` are files.
 */
export const RULES: Readonly<Record<string, Rule>> = {
  model: { parts: [] },
  ports: { parts: ['model'] },
  // A node holds the RxJS operator that it stands for, as a type: the graph itself loads without RxJS.
  topology: { parts: ['model'], types: ['rxjs'] },
  windows: { parts: ['model', 'ports', 'topology'] },
  aggregates: { parts: ['model', 'ports', 'topology'] },
  operators: { parts: ['model', 'ports', 'topology', 'windows', 'aggregates'], packages: ['rxjs'] },
  'log/kafka': {
    parts: ADAPTER_PARTS,
    // The packed reader is a native module of our own, loaded by its path.
    packages: [
      ...NODE,
      'node:module',
      'node:url',
      'node-rdkafka',
      'node-rdkafka/package.json',
      'aws-msk-iam-sasl-signer-js',
    ],
  },
  'log/embedded': { parts: ADAPTER_PARTS, packages: NODE },
  'state/rocksdb': { parts: ADAPTER_PARTS, packages: [...NODE, 'rocksdb-native', 'rocksdb'] },
  'state/memory': { parts: ADAPTER_PARTS, packages: NODE },
  serde: {
    parts: ADAPTER_PARTS,
    packages: [...NODE, 'node:http', 'node:https', 'node:module', 'avsc'],
    types: ['@kafkajs/confluent-schema-registry/dist/api/index.js'],
  },
  // One adapter in seven folders: what every SQL dialect shares, and what the memory warehouse shares with them.
  'warehouse/row': { parts: ADAPTER_PARTS },
  'warehouse/sql': { parts: [...ADAPTER_PARTS, 'warehouse/row'], packages: [...NODE, 'node:net', 'pg'] },
  'warehouse/postgres': {
    parts: [...ADAPTER_PARTS, 'warehouse/row', 'warehouse/sql'],
    packages: [...NODE, 'pg', 'pg-copy-streams'],
  },
  'warehouse/redshift': {
    parts: [...ADAPTER_PARTS, 'warehouse/row', 'warehouse/sql'],
    packages: [...NODE, 'pg', '@aws-sdk/client-redshift', '@aws-sdk/client-redshift-serverless'],
  },
  'warehouse/pglite': {
    parts: [...ADAPTER_PARTS, 'warehouse/row', 'warehouse/sql'],
    // initdb runs in a process of its own.
    packages: [...NODE, 'node:child_process', 'node:module', '@electric-sql/pglite'],
  },
  'warehouse/memory': { parts: [...ADAPTER_PARTS, 'warehouse/row'], packages: NODE },
  'objects/s3': { parts: ADAPTER_PARTS, packages: [...NODE, '@aws-sdk/client-s3'] },
  metrics: { parts: ADAPTER_PARTS, packages: ['prom-client'] },
  // The parent of stream processes: it reads what they say of themselves and loads nothing that they run on.
  worker: { parts: ['model', 'ports', 'runtime'], packages: [...NODE, 'node:child_process', 'node:url', 'fastify'] },
  // No file system, no network, no clock but the port's: the same runtime runs in a simulation.
  runtime: { parts: DSL, packages: ['rxjs', 'node:crypto', 'node:path'] },
  // Pure: samples and statements in, figures, proposals and reports out.
  advise: {
    parts: [...DSL, 'runtime'],
    packages: ['trino', 'redshift', 'postgresql'].map(dialect => `node-sql-parser/build/${dialect}.js`),
  },
  cli: {
    parts: [...DSL, ...ADAPTERS, 'runtime', 'worker', 'advise'],
    packages: [
      ...NODE,
      'node:child_process',
      'node:os',
      'node:process',
      'node:readline',
      'node:tty',
      'node:url',
      // The proof reads events without any code of serde.
      'avsc',
      'cli-table3',
      'commander',
      'pino',
      'pino-pretty',
      'tsx/cjs/api',
      'tsx/esm/api',
      'typescript',
    ],
  },
  index: { parts: ['model', 'topology', 'windows', 'aggregates', 'operators'] },
  testing: { parts: [...DSL, ...ADAPTERS, 'runtime'] },
}

/** RxJS belongs to `operators`, and here it runs: one file turns the graph into subjects and pipes. */
const COMPILES = 'src/runtime/compile.ts'

/** The part that a file of `src` belongs to. */
export function partOf(file: string): string {
  const [first = '', second = '', third] = file.replace(/^src\//, '').split('/')
  if (second === '') return first.replace(/\.ts$/, '')
  return third !== undefined && ['log', 'objects', 'state', 'warehouse'].includes(first) ? `${first}/${second}` : first
}

/** Why an import of a file in `src` is not allowed; undefined where it is. */
function problemInSource({ file, specifier, target, typeOnly, dynamic }: Import): string | undefined {
  const part = partOf(file)
  const rule = RULES[part]
  if (rule === undefined)
    return `"${part}" is no part of the package: say in test/architecture/rules.ts what it may import`
  if (target !== undefined) {
    if (!target.startsWith('src/')) return 'the package imports nothing outside src'
    const other = partOf(target)
    if (other === part || rule.parts.includes(other)) return undefined
    return `${part} may import ${rule.parts.length === 0 ? 'no other part' : rule.parts.join(', ')}, not ${other}`
  }
  if (typeOnly && rule.types?.includes(specifier)) return undefined
  if (!rule.packages?.includes(specifier)) {
    const all = [...(rule.packages ?? []), ...(rule.types ?? []).map(name => `types of ${name}`)]
    return `${part} may import ${all.length === 0 ? 'no package' : all.join(', ')}, not ${specifier}`
  }
  if (DRIVERS.includes(specifier) && !dynamic && !typeOnly) {
    return 'a driver is loaded by import() in the function that opens it, so that nobody loads it who does not use it'
  }
  if (part === 'runtime' && specifier === 'rxjs' && !typeOnly && file !== COMPILES) {
    return `only ${COMPILES} turns the graph into RxJS; other files of the runtime may import types of it`
  }
  return undefined
}

/** Files of users see the package by its name: what they can do, every user can do. */
function problemInUserFile({ specifier, target }: Import): string | undefined {
  if (specifier === 'millrace' || target?.startsWith('schemas/')) return undefined
  return "topologies and schemas import 'millrace' and schemas/ only"
}

/** Every import that breaks a rule: file and line, what it imports, the rule. */
export function violations(imports: readonly Import[]): string[] {
  return imports.flatMap(one => {
    const problem = one.file.startsWith('src/') ? problemInSource(one) : problemInUserFile(one)
    return problem === undefined ? [] : [`${one.file}:${one.line} imports "${one.specifier}": ${problem}.`]
  })
}
