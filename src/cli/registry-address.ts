import { MillraceError } from '../model/errors.js'
import type { RegistryAddress } from '../serde/registry-requests.js'
import { secret } from './secrets.js'

type Environment = Readonly<Record<string, string | undefined>>

const VARIABLE = 'MILLRACE_REGISTRY'

/**
 * The schema registry of `--registry`: one or several addresses separated by commas. Who asks is said by the secrets
 * MILLRACE_REGISTRY_USER and _PASSWORD, or _TOKEN, else by the user and password of the first address; the texts of
 * certificates by MILLRACE_REGISTRY_CA, _CERTIFICATE, _KEY and _KEY_PASSWORD. Each may be a file: see `secret`.
 * @throws MillraceError INVALID_OPTION for what is no address (it is not repeated, since it may hold a password), or for
 * secrets that contradict each other.
 */
export function registryAddress(text: string, environment: Environment = process.env): RegistryAddress {
  const addresses = text.split(',').map(part => parsed(part.trim()))
  const [{ username, password }] = addresses as [URL]
  const authorization = () => authorizationOf(username, password, environment)
  authorization()
  return { urls: addresses.map(bare), authorization, tls: certificates(environment) }
}

function parsed(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.search === '') return url
  throw new MillraceError(
    'INVALID_OPTION',
    'What --registry gives is no list of addresses such as http://host:8081 or https://host/apis/ccompat/v7, separated by commas.',
  )
}

/** The address without user and password, as it may be printed. */
function bare({ origin, pathname }: URL): string {
  return `${origin}${pathname}`.replace(/\/+$/, '')
}

function authorizationOf(user: string, password: string, environment: Environment): string | undefined {
  const token = secret(`${VARIABLE}_TOKEN`, environment)
  const name = secret(`${VARIABLE}_USER`, environment) ?? decodeURIComponent(user)
  if (token !== undefined && name !== '') {
    throw new MillraceError(
      'INVALID_OPTION',
      `The schema registry has both a user and ${VARIABLE}_TOKEN. Keep one of them.`,
    )
  }
  if (token !== undefined) return `Bearer ${token}`
  if (name === '') return undefined
  const word = secret(`${VARIABLE}_PASSWORD`, environment) ?? decodeURIComponent(password)
  return `Basic ${Buffer.from(`${name}:${word}`, 'utf8').toString('base64')}`
}

function certificates(environment: Environment): NonNullable<RegistryAddress['tls']> {
  const texts = { ca: 'CA', cert: 'CERTIFICATE', key: 'KEY', passphrase: 'KEY_PASSWORD' }
  const given = Object.entries(texts).flatMap(([option, name]) => {
    const text = secret(`${VARIABLE}_${name}`, environment)
    return text === undefined ? [] : [[option, text]]
  })
  return Object.fromEntries(given)
}
