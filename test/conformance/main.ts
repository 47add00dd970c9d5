import { runDirectory } from './run.js'

const directory = process.argv[2]
if (directory === undefined) {
  console.error('Usage: npm run conformance -- DIR, where DIR holds vector files (*.jsonl).')
  process.exit(2)
}
const { passed, failed, skipped } = await runDirectory(directory, line => console.log(line))
for (const [reason, count] of [...skipped].sort()) console.log(`skipped ${count}: ${reason}`)
const total = [...skipped.values()].reduce((sum, count) => sum + count, 0)
console.log(`${passed} passed, ${failed} failed, ${total} skipped`)
process.exitCode = failed === 0 ? 0 : 1
