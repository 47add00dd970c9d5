import type ts from 'typescript'

/** A place in a source file, counted from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A call of an operator in the text of a topology, with the title that the graph gives to its node. */
export interface OperatorCall extends Place {
  /** `aggregate "quest-minute"`, or `where` for an operator without a name. */
  readonly title: string
}

/** Calls that make a node, and how the graph titles it. */
const OPERATORS: ReadonlyMap<string, { readonly title: string; readonly named: boolean }> = new Map(
  [
    ['fromTopic', 'fromTopic', true],
    ['repartition', 'repartition', true],
    ['aggregate', 'aggregate', true],
    ['reduce', 'reduce', true],
    ['rx', 'rx', true],
    ['topic', 'to(topic)', true],
    ['warehouse', 'to(warehouse)', true],
    ['topology', 'topology', true],
    ['filter', 'filter', false],
    ['where', 'where', false],
    ['map', 'map', false],
    ['mapValues', 'mapValues', false],
    ['select', 'select', false],
    ['flatMap', 'flatMap', false],
    ['peek', 'peek', false],
    ['window', 'window', false],
    ['toStream', 'toStream', false],
  ].map(([call, title, named]) => [call as string, { title: title as string, named: named as boolean }]),
)

/** The title of a call that makes a node; undefined for any other expression. */
function titleOf(compiler: typeof ts, node: ts.Node): string | undefined {
  if (!compiler.isCallExpression(node)) return undefined
  const { expression: callee, arguments: given } = node
  const name = compiler.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText()
  const [first] = given
  if (name === 'to') return first && titleOf(compiler, first)
  const operator = OPERATORS.get(name)
  if (operator === undefined) return undefined
  return operator.named && first && compiler.isStringLiteralLike(first)
    ? `${operator.title} "${first.text}"`
    : operator.title
}

export function placeOf(source: ts.SourceFile, position: number): Place {
  const { line, character } = source.getLineAndCharacterOfPosition(position)
  return { file: source.fileName, line: line + 1, column: character + 1 }
}

/** All operator calls of a file, in the order of its text. */
export function operatorCalls(compiler: typeof ts, source: ts.SourceFile): readonly OperatorCall[] {
  const calls: OperatorCall[] = []
  const visit = (node: ts.Node): void => {
    const title = titleOf(compiler, node)
    if (title !== undefined) calls.push({ title, ...placeOf(source, node.getStart(source)) })
    compiler.forEachChild(node, visit)
  }
  visit(source)
  return calls
}

/**
 * What stands at a position: its text without quotes (for the name of a property the text that the property holds, where it
 * is text), and the title of the innermost operator call around it.
 */
export function contextAt(
  compiler: typeof ts,
  source: ts.SourceFile,
  start: number,
  length: number,
): { readonly subject: string; readonly title: string | undefined } {
  let title: string | undefined
  let subject = source.text.slice(start, start + length)
  const visit = (node: ts.Node): void => {
    if (node.getStart(source) > start || node.getEnd() < start + length) return
    title = titleOf(compiler, node) ?? title
    if (compiler.isPropertyAssignment(node) && node.name.getStart(source) === start) {
      if (compiler.isStringLiteralLike(node.initializer)) subject = node.initializer.getText(source)
    }
    compiler.forEachChild(node, visit)
  }
  visit(source)
  return { subject: subject.replace(/^['"`]|['"`]$/g, ''), title }
}
