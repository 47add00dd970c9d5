import { accessSync, constants } from 'node:fs'
import { MillraceError, messageOf } from '../../model/errors.js'

/** Parameters of a URL that name files, which the driver reads at each connection. */
const FILES = ['sslrootcert', 'sslcert', 'sslkey']

/** @throws MillraceError INVALID_OPTION for a file that cannot be read: every connection would fail. */
export function assertReadableFiles({ searchParams }: URL): void {
  for (const parameter of FILES) {
    const file = searchParams.get(parameter)
    if (file === null) continue
    try {
      accessSync(file, constants.R_OK)
    } catch (thrown) {
      const message = `The URL of the PostgreSQL warehouse names a file by ${parameter} that cannot be read: ${messageOf(thrown)}.`
      throw new MillraceError('INVALID_OPTION', message, { cause: thrown })
    }
  }
}
