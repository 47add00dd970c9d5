import { MillraceError } from '../model/errors.js'

/** Where an HTTP server listens. */
export interface ListenAddress {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

/**
 * `host:port`, or `[address]:port` for IPv6, or `off`.
 * @throws MillraceError INVALID_OPTION
 */
export function listenAddress(text: string): ListenAddress | 'off' {
  if (text === 'off') return text
  const [, v6, name, digits] = /^(?:\[([\da-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = v6 ?? name
  const port = Number(digits)
  if (host !== undefined && port <= 65_535) return { host, port }
  throw new MillraceError('INVALID_OPTION', 'It must be HOST:PORT such as 127.0.0.1:9095 or [::1]:9095, or off.')
}

/** An address as it stands in a URL. */
export function shownAddress({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
