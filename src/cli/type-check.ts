import { dirname } from 'node:path'
import type ts from 'typescript'
import { nearestConfig } from './nearest-config.js'
import { contextAt, type OperatorCall, operatorCalls, type Place, placeOf } from './operator-calls.js'

/** One error of the compiler. */
export interface TypeFinding extends Place {
  /** TypeScript's number of the error, such as 2322. */
  readonly code: number
  /** Its message, a line a level of detail. */
  readonly message: string
  /** The text that it is about, without quotes. */
  readonly subject: string
  /** The operator around it: `aggregate "quest-minute"`. */
  readonly title: string | undefined
}

/** What the compiler says of one file and of the project files that it imports. */
export interface TypeReport {
  readonly findings: readonly TypeFinding[]
  /** Where operators are called. */
  readonly calls: readonly OperatorCall[]
}

/** Options for files without a `tsconfig.json`: strict, and as Node runs ES modules. */
function defaults(compiler: typeof ts): ts.CompilerOptions {
  return {
    strict: true,
    target: compiler.ScriptTarget.ES2023,
    module: compiler.ModuleKind.NodeNext,
    moduleResolution: compiler.ModuleResolutionKind.NodeNext,
    skipLibCheck: true,
  }
}

function optionsFor(compiler: typeof ts, config: string | undefined): ts.CompilerOptions {
  if (config === undefined) return { ...defaults(compiler), noEmit: true }
  const { config: json } = compiler.readConfigFile(config, compiler.sys.readFile)
  const { options } = compiler.parseJsonConfigFileContent(json ?? {}, compiler.sys, dirname(config))
  return { ...options, noEmit: true, incremental: false, composite: false }
}

/** The file and the project files that it imports by relative paths, directly or not. */
function ownSources(compiler: typeof ts, program: ts.Program, file: string): readonly ts.SourceFile[] {
  const host = compiler.createCompilerHost(program.getCompilerOptions())
  const sources = new Map<string, ts.SourceFile>()
  const visit = (name: string): void => {
    const source = program.getSourceFile(name)
    if (source === undefined || source.isDeclarationFile || sources.has(source.fileName)) return
    sources.set(source.fileName, source)
    for (const { fileName: specifier } of compiler.preProcessFile(source.text).importedFiles) {
      if (!specifier.startsWith('.')) continue
      const resolution = compiler.resolveModuleName(
        specifier,
        source.fileName,
        program.getCompilerOptions(),
        host,
        undefined,
        undefined,
        source.impliedNodeFormat,
      )
      if (resolution.resolvedModule) visit(resolution.resolvedModule.resolvedFileName)
    }
  }
  visit(file)
  return [...sources.values()]
}

/** Cannot find module: its types are unknown, so that what else is said of the file follows from it. */
const MISSING_MODULE = 2307

function findingsOf(compiler: typeof ts, program: ts.Program, source: ts.SourceFile): readonly TypeFinding[] {
  const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  const missing = diagnostics.filter(diagnostic => diagnostic.code === MISSING_MODULE)
  return (missing.length > 0 ? missing : diagnostics).map(({ code, start = 0, length = 0, messageText }) => ({
    ...placeOf(source, start),
    code,
    message: compiler.flattenDiagnosticMessageText(messageText, '\n'),
    ...contextAt(compiler, source, start, length),
  }))
}

/**
 * Runs the TypeScript compiler on files, each with its nearest `tsconfig.json` or strict defaults. Reports the errors of
 * a file and of the project files that it imports.
 * @param files absolute paths
 */
export async function checkTypes(files: readonly string[]): Promise<ReadonlyMap<string, TypeReport>> {
  const { default: compiler } = await import('typescript')
  const reports = new Map<string, TypeReport>()
  for (const config of new Set(files.map(nearestConfig))) {
    const members = files.filter(file => nearestConfig(file) === config)
    const program = compiler.createProgram(members, optionsFor(compiler, config))
    for (const file of members) {
      const sources = ownSources(compiler, program, file)
      reports.set(file, {
        findings: sources.flatMap(source => findingsOf(compiler, program, source)),
        calls: sources.flatMap(source => operatorCalls(compiler, source)),
      })
    }
  }
  return reports
}
