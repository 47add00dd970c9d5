import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')

/** What the compiler says: line (counted from 1), and its message, a line a level of detail. */
export interface Said {
  readonly line: number
  readonly message: string
}

function options(): ts.CompilerOptions {
  const file = join(root, 'tsconfig.json')
  const { config } = ts.readConfigFile(file, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  return { ...options, noUnusedLocals: false, noUnusedParameters: false }
}

/** Compiles texts as files of this folder, in one program, with the project's options; what is said of each, in order. */
export function compile(texts: readonly string[]): readonly (readonly Said[])[] {
  return compileAt(here, texts)
}

/** Compiles texts as files of a folder: what they import stands beside it. */
export function compileAt(folder: string, texts: readonly string[]): readonly (readonly Said[])[] {
  const compilerOptions = options()
  const files = new Map(texts.map((text, index) => [join(folder, `compiled-${index}.ts`), text]))
  const host = ts.createCompilerHost(compilerOptions)
  const { fileExists, getSourceFile, readFile } = host
  host.fileExists = name => files.has(name) || fileExists(name)
  host.readFile = name => files.get(name) ?? readFile(name)
  host.getSourceFile = (name, languageVersion, ...rest) => {
    const text = files.get(name)
    return text === undefined
      ? getSourceFile(name, languageVersion, ...rest)
      : ts.createSourceFile(name, text, languageVersion, true)
  }
  const program = ts.createProgram([...files.keys()], compilerOptions, host)
  return [...files.keys()].map(name => {
    const source = program.getSourceFile(name)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText, start = 0 }) => ({
        line: (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1,
        message: ts.flattenDiagnosticMessageText(messageText, '\n'),
      }),
    )
  })
}

/** The text of a file beside this one. */
export function textOf(name: string): string {
  return readFileSync(join(here, name), 'utf8')
}
