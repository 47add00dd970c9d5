import { readFile } from 'node:fs/promises'
import type pg from 'pg'
import { MillraceError } from '../../model/errors.js'
import type { RedshiftOptions } from './redshift-options.js'

/** Where a database is, and how to log in to it. */
export interface RedshiftAddress {
  /** For messages, without secrets. */
  readonly name: string
  /** What a connection is opened with, as of now. */
  readonly connection: () => Promise<pg.ClientConfig>
}

const PORT = 5439

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/

/** `require` checks the certificate, too: Redshift's are signed by an authority that Node knows. */
const CHECKED = new Set(['verify-full', 'verify-ca', 'require'])

/**
 * Reads the options of an address and a login.
 * @throws MillraceError INVALID_OPTION when `url` is no URL of Redshift, or when there is more or less than one way to log in.
 */
export function redshiftAddress({ url: text, password, login }: RedshiftOptions): RedshiftAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // What follows a raw / ? or # in a password would be taken for a database and printed.
  const cut = url && `${url.pathname}${url.search}${url.hash}`.includes('@')
  const database = decodeURIComponent(url?.pathname.slice(1) ?? '')
  if (!url || cut || !/^(redshift|postgres|postgresql):$/.test(url.protocol) || !url.hostname || !database) {
    // The text is left out of the message: it may hold a password.
    throw new MillraceError(
      'INVALID_OPTION',
      'The URL of the Redshift warehouse is not of the form redshift://user@host:5439/database, with / ? # and @ in user and password written as %2F %3F %23 and %40.',
    )
  }
  const name = `Redshift at ${url.hostname}:${url.port || PORT}/${database}`
  const ssl = tls(url)
  const loggedIn = loginOf(url, password, login)
  return {
    name,
    async connection() {
      const { user } = await loggedIn()
      return {
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: Number(url.port || PORT),
        database,
        user,
        password: async () => (await loggedIn()).password,
        ssl: await ssl(),
      }
    },
  }
}

function loginOf(
  url: URL,
  password: string | undefined,
  login: RedshiftOptions['login'],
): NonNullable<RedshiftOptions['login']> {
  const given = [url.password !== '', password !== undefined, login !== undefined].filter(Boolean).length
  if (given > 1) {
    throw new MillraceError(
      'INVALID_OPTION',
      'The Redshift warehouse has more than one login: a password in its URL, a password, or one by IAM. Keep one.',
    )
  }
  if (login) return login
  const user = decodeURIComponent(url.username)
  if (user === '') throw new MillraceError('INVALID_OPTION', 'The URL of the Redshift warehouse names no user.')
  return async () => ({ user, password: password ?? decodeURIComponent(url.password) })
}

function tls(url: URL): () => Promise<pg.ClientConfig['ssl']> {
  const mode = url.searchParams.get('sslmode') ?? (LOOPBACK.test(url.hostname) ? 'disable' : 'verify-full')
  const file = url.searchParams.get('sslrootcert')
  if (mode === 'disable') return async () => false
  if (mode === 'no-verify') return async () => ({ rejectUnauthorized: false })
  if (!CHECKED.has(mode)) {
    throw new MillraceError(
      'INVALID_OPTION',
      `sslmode=${mode} in the URL of the Redshift warehouse is none of verify-full, no-verify and disable.`,
    )
  }
  return async () => (file === null ? true : { ca: await readFile(file, 'utf8') })
}
