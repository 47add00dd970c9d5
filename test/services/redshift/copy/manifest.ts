import { gunzipSync } from 'node:zlib'
import { RedshiftError } from '../redshift-error.js'

/** A file that a manifest names, and its bytes. */
export interface LoadedFile {
  readonly url: string
  readonly data: Buffer
}

/**
 * The files of a manifest. A file that does not exist is an error where its entry says `mandatory`, else it is skipped in
 * silence. https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
 * @throws RedshiftError
 */
export async function manifestFiles(endpoint: string, url: string, gzip: boolean): Promise<LoadedFile[]> {
  const manifest = await object(endpoint, url)
  if (!manifest) throw missing(url)
  const files: LoadedFile[] = []
  for (const { url, mandatory } of entriesOf(manifest)) {
    const data = await object(endpoint, url)
    if (data) files.push({ url, data: gzip ? unzipped(data, url) : data })
    else if (mandatory) throw missing(url)
  }
  return files
}

function entriesOf(manifest: Buffer): { readonly url: string; readonly mandatory?: boolean }[] {
  try {
    const { entries } = JSON.parse(manifest.toString('utf8'))
    if (Array.isArray(entries) && entries.every(({ url }) => typeof url === 'string')) return entries
  } catch {}
  throw new RedshiftError('XX000', 'Manifest file is not in correct json format')
}

function unzipped(data: Buffer, url: string): Buffer {
  try {
    return gunzipSync(data)
  } catch {
    throw new RedshiftError('XX000', `Failed to decompress ${url}: incorrect header check`)
  }
}

function missing(url: string): RedshiftError {
  return new RedshiftError(
    'XX000',
    'S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey',
    `error: S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey, key: ${url}`,
  )
}

async function object(endpoint: string, url: string): Promise<Buffer | undefined> {
  const address = `${endpoint.replace(/\/$/, '')}/${url.slice('s3://'.length).split('/').map(encodeURIComponent).join('/')}`
  let response: Response
  let body: Buffer
  try {
    response = await fetch(address)
    body = Buffer.from(await response.arrayBuffer())
  } catch (thrown) {
    throw new RedshiftError('XX000', `S3ServiceException:${thrown instanceof Error ? thrown.message : thrown}`, url)
  }
  if (response.status === 404) return undefined
  if (!response.ok)
    throw new RedshiftError('XX000', `S3ServiceException:${response.statusText},Status ${response.status}`, url)
  return body
}
