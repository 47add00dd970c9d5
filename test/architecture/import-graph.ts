import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'

/** One import of a file: a declaration, a re-export, an `import()` or the type `import('…')`. */
export interface Import {
  /** Path from the repository's root, such as `src/runtime/task.ts`. */
  readonly file: string
  readonly line: number
  readonly specifier: string
  /** The imported file as a path from the root, for relative imports. */
  readonly target: string | undefined
  /** The compiler drops it: nothing is loaded. */
  readonly typeOnly: boolean
  /** `import()`: loaded when the line runs. */
  readonly dynamic: boolean
}

/** TypeScript files below a folder, as paths from the root, sorted. */
export function sourceFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => posix.join(entry.parentPath.slice(root.length + 1), entry.name))
    .sort()
}

/** The imports of one file. `{ type A }` counts as loading: under verbatimModuleSyntax the import statement remains. */
export function importsOf(file: string, text: string): Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true)
  const imports: Import[] = []
  const add = (node: ts.Node, specifier: ts.Node | undefined, typeOnly: boolean, dynamic: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    const { line } = source.getLineAndCharacterOfPosition(node.getStart())
    const relative = specifier.text.startsWith('.')
    const target = relative ? posix.join(posix.dirname(file), specifier.text).replace(/\.js$/, '.ts') : undefined
    imports.push({ file, line: line + 1, specifier: specifier.text, target, typeOnly, dynamic })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, node.importClause?.isTypeOnly ?? false, false)
    else if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, node.isTypeOnly, false)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node, node.argument.literal, true, true)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0], false, true)
    } else if (ts.isCallExpression(node) && node.expression.getText() === 'require') {
      add(node, node.arguments[0], false, false)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return imports
}

/** The imports of all files below some folders. */
export function importGraph(root: string, folders: readonly string[]): Import[] {
  return folders.flatMap(folder => {
    return sourceFiles(root, folder).flatMap(file => importsOf(file, readFileSync(join(root, file), 'utf8')))
  })
}

/** The first cycle in a graph, as a path that ends where it began; undefined where there is none. */
export function findCycle(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (node: string): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node]
    if (done.has(node)) return undefined
    path.push(node)
    for (const next of edges.get(node) ?? []) {
      const cycle = visit(next)
      if (cycle) return cycle
    }
    path.pop()
    done.add(node)
    return undefined
  }
  for (const node of edges.keys()) {
    const cycle = visit(node)
    if (cycle) return cycle
  }
  return undefined
}
