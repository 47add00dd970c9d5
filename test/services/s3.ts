import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'

/** Operations of S3 that the stub knows. */
export type S3Operation =
  | 'PutObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'ListObjectsV2'
  | 'HeadBucket'
  | 'CreateBucket'

/** What goes wrong with a request. */
export type S3FaultKind =
  /** 500 InternalError. */
  | 'internal-error'
  /** 503 SlowDown. */
  | 'slow-down'
  /** 403 AccessDenied. */
  | 'access-denied'
  /** The connection is reset before anything is done. */
  | 'reset'
  /** The connection is reset after it was done. */
  | 'reset-after'
  /** The answer comes `ms` later. */
  | 'slow'
  /** The answer never comes. */
  | 'hang'
  /** PutObject and deletions are answered as done, and are not. */
  | 'lost'
  /** The answer of GetObject ends in the middle. */
  | 'truncated'

export interface S3Fault {
  readonly kind: S3FaultKind
  /** Requests that it meets; default 1. */
  readonly times?: number
  /** Default: any. */
  readonly operation?: S3Operation
  /** Default: any. */
  readonly key?: RegExp
  /** Of `slow`; default 200. */
  readonly ms?: number
}

/** A fault in force. `met` says how many requests it met: a fault that nobody met shows as 0. */
export interface InjectedFault {
  readonly met: number
  end(): void
}

/** A request as the stub saw it. */
export interface S3Request {
  readonly operation: S3Operation
  readonly bucket: string
  readonly key: string
  readonly headers: IncomingMessage['headers']
  /** HTTP status; 0 where the connection was reset or never answered. */
  status: number
}

export interface S3Service {
  /** `http://127.0.0.1:port`, for path-style addresses. */
  readonly endpoint: string
  /** Every request so far, oldest first. */
  readonly requests: readonly S3Request[]
  /** Objects of a bucket by key, for reading and writing. @throws Error when there is no such bucket. */
  bucket(name: string): Map<string, Buffer>
  /** The object of an address such as `s3://bucket/key`; undefined where there is none. */
  object(url: string): Buffer | undefined
  /** From now on something goes wrong; faults that match one request take turns, oldest first. */
  inject(fault: S3Fault): InjectedFault
  close(): Promise<void>
}

export interface S3Options {
  /** Buckets that exist from the start; default `test`. */
  readonly buckets?: readonly string[]
  /** Requests signed for another region are refused, as AWS does; default: any is fine. */
  readonly region?: string
}

interface Answer {
  readonly status: number
  readonly body?: string | Buffer
  readonly headers?: Record<string, string>
}

interface Call extends S3Request {
  readonly query: URLSearchParams
  readonly body: Buffer
}

interface ActiveFault {
  readonly fault: S3Fault
  left: number
  met: number
}

const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, found => `&#${found.charCodeAt(0)};`)
}

function unescapeXml(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return named[name] ?? whole
    return String.fromCodePoint(decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal))
  })
}

function refusal(status: number, code: string, message: string, more = ''): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message>${more}<RequestId>stub</RequestId></Error>`
  return { status, body, headers: { 'content-type': 'application/xml' } }
}

const xml = (body: string): Answer => ({
  status: 200,
  body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
  headers: { 'content-type': 'application/xml' },
})

const etag = (body: Buffer): string => `"${createHash('md5').update(body).digest('hex')}"`

/** CRC32 as S3's headers and trailers carry it. */
function checksum(body: Buffer): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(body))
  return bytes.toString('base64')
}

/**
 * The payload and trailer of an aws-chunked body: chunks of a hexadecimal length with extensions, then trailer fields.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
function unchunked(body: Buffer): { payload: Buffer; trailer: Map<string, string> } {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const end = body.indexOf('\r\n', at)
    if (end < 0) throw new Error('A chunk has no header.')
    const size = Number.parseInt(body.toString('latin1', at, end), 16)
    at = end + 2
    if (size === 0) break
    parts.push(body.subarray(at, at + size))
    at += size + 2
  }
  const fields = body.toString('latin1', at).split('\r\n')
  const trailer = new Map(fields.flatMap(line => (line.includes(':') ? [splitField(line)] : [])))
  return { payload: Buffer.concat(parts), trailer }
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
}

/** The bucket of a virtual-hosted address, such as `bucket.s3.eu-central-1.amazonaws.com` or `bucket.localhost`. */
function hostedBucket(host = ''): string | undefined {
  return /^(.+?)\.(?:s3[.-].*amazonaws\.com|s3\.amazonaws\.com|localhost)(?::\d+)?$/.exec(host)?.[1]
}

function operationOf(method: string, key: string, query: URLSearchParams): S3Operation | undefined {
  if (key === '') {
    if (method === 'POST' && query.has('delete')) return 'DeleteObjects'
    return { GET: 'ListObjectsV2', HEAD: 'HeadBucket', PUT: 'CreateBucket' }[method] as S3Operation | undefined
  }
  const operations = { GET: 'GetObject', HEAD: 'HeadObject', PUT: 'PutObject', DELETE: 'DeleteObject' } as const
  return operations[method as keyof typeof operations]
}

class S3Stub {
  readonly buckets = new Map<string, Map<string, Buffer>>()
  readonly requests: S3Request[] = []
  readonly active: ActiveFault[] = []

  constructor(private readonly region: string | undefined) {}

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const hosted = hostedBucket(request.headers.host)
    const path = (hosted === undefined ? url.pathname : `/${hosted}${url.pathname}`).slice(1)
    const slash = path.indexOf('/')
    const bucket = decodeURIComponent(slash < 0 ? path : path.slice(0, slash))
    const key = slash < 0 ? '' : decodeURIComponent(path.slice(slash + 1))
    const operation = operationOf(request.method ?? '', key, url.searchParams)
    if (operation === undefined) {
      return this.send(response, refusal(405, 'MethodNotAllowed', `The stub does not know ${request.method}.`))
    }
    const { headers } = request
    const call: Call = {
      operation,
      bucket,
      key,
      headers,
      status: 0,
      query: url.searchParams,
      body: Buffer.concat(chunks),
    }
    this.requests.push(call)
    await this.answer(call, response)
  }

  private async answer(call: Call, response: ServerResponse): Promise<void> {
    const fault = this.faultOf(call)
    switch (fault?.kind) {
      case 'hang':
        return
      case 'reset':
        response.socket?.resetAndDestroy()
        return
      case 'reset-after':
        this.perform(call)
        response.socket?.resetAndDestroy()
        return
      case 'slow':
        await sleep(fault.ms ?? 200)
        break
      case 'internal-error':
        return this.send(response, refusal(500, 'InternalError', 'We encountered an internal error.'), call)
      case 'slow-down':
        return this.send(response, refusal(503, 'SlowDown', 'Please reduce your request rate.'), call)
      case 'access-denied':
        return this.send(response, refusal(403, 'AccessDenied', 'Access Denied'), call)
      case 'truncated': {
        const { status, body = '', headers } = this.perform(call)
        const whole = Buffer.from(body)
        response.writeHead(status, { ...headers, 'content-length': String(whole.length) })
        response.write(whole.subarray(0, Math.floor(whole.length / 2)), () => response.socket?.destroy())
        return
      }
      default:
    }
    this.send(response, this.perform(call, fault?.kind === 'lost'), call)
  }

  private send(response: ServerResponse, { status, body, headers }: Answer, call?: Call): void {
    if (call) call.status = status
    response.writeHead(status, { 'x-amz-request-id': 'stub', ...headers })
    response.end(call?.operation.startsWith('Head') ? undefined : body)
  }

  private faultOf({ operation, key }: Call): S3Fault | undefined {
    const found = this.active.find(
      ({ fault, left }) =>
        left > 0 && (fault.operation ?? operation) === operation && (fault.key === undefined || fault.key.test(key)),
    )
    if (!found) return undefined
    found.left--
    found.met++
    return found.fault
  }

  private perform(call: Call, lost = false): Answer {
    const signedFor = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(call.headers.authorization ?? '')?.[1]
    if (this.region !== undefined && signedFor !== undefined && signedFor !== this.region) {
      const message = `The authorization header is malformed; the region '${signedFor}' is wrong; expecting '${this.region}'`
      return refusal(400, 'AuthorizationHeaderMalformed', message, `<Region>${this.region}</Region>`)
    }
    if (call.operation === 'CreateBucket') {
      if (!this.buckets.has(call.bucket)) this.buckets.set(call.bucket, new Map())
      return { status: 200 }
    }
    const objects = this.buckets.get(call.bucket)
    if (!objects) return refusal(404, 'NoSuchBucket', 'The specified bucket does not exist')
    const object = objects.get(call.key)
    switch (call.operation) {
      case 'HeadBucket':
        return { status: 200 }
      case 'PutObject':
        return put(objects, call, lost)
      case 'GetObject':
      case 'HeadObject': {
        if (!object) return refusal(404, 'NoSuchKey', 'The specified key does not exist.')
        const headers = { 'content-length': String(object.length), etag: etag(object) }
        const wanted = call.headers['x-amz-checksum-mode'] === 'ENABLED'
        return { status: 200, body: object, headers: wanted ? { ...headers, ...checksumHeaders(object) } : headers }
      }
      case 'DeleteObject':
        if (!lost) objects.delete(call.key)
        return { status: 204 }
      case 'DeleteObjects':
        return deleteMany(objects, call, lost)
      case 'ListObjectsV2':
        return list(objects, call)
      default:
        return call.operation satisfies never
    }
  }
}

function checksumHeaders(body: Buffer): Record<string, string> {
  return { 'x-amz-checksum-crc32': checksum(body), 'x-amz-checksum-type': 'FULL_OBJECT' }
}

function put(objects: Map<string, Buffer>, { headers, body, key }: Call, lost: boolean): Answer {
  const chunked = /aws-chunked/.test(String(headers['content-encoding'] ?? ''))
  const { payload, trailer } = chunked ? unchunked(body) : { payload: body, trailer: new Map<string, string>() }
  const decoded = headers['x-amz-decoded-content-length']
  if (chunked && Number(decoded) !== payload.length) return refusal(400, 'IncompleteBody', 'The body ends early.')
  const told = headers['x-amz-checksum-crc32'] ?? trailer.get('x-amz-checksum-crc32')
  const md5 = headers['content-md5']
  const wrongMd5 = md5 !== undefined && md5 !== createHash('md5').update(payload).digest('base64')
  if (wrongMd5 || (told !== undefined && told !== checksum(payload))) {
    return refusal(400, 'BadDigest', 'The checksum you specified did not match what we received.')
  }
  if (!lost) objects.set(key, payload)
  return { status: 200, headers: { etag: etag(payload), ...checksumHeaders(payload) } }
}

function deleteMany(objects: Map<string, Buffer>, { body }: Call, lost: boolean): Answer {
  const text = body.toString()
  const keys = Array.from(text.matchAll(/<Key>([^<]*)<\/Key>/g), match => unescapeXml(match[1] as string))
  if (keys.length === 0 || keys.length > 1_000) return refusal(400, 'MalformedXML', 'From 1 to 1,000 keys are taken.')
  if (!lost) for (const key of keys) objects.delete(key)
  const deleted = keys.map(key => `<Deleted><Key>${escapeXml(key)}</Key></Deleted>`)
  return xml(`<DeleteResult ${NAMESPACE}>${/<Quiet>true/.test(text) ? '' : deleted.join('')}</DeleteResult>`)
}

function list(objects: Map<string, Buffer>, { bucket, query }: Call): Answer {
  const prefix = query.get('prefix') ?? ''
  const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
  const max = Number(query.get('max-keys') ?? 1_000)
  const keys = Array.from(objects.keys())
    .filter(key => key.startsWith(prefix) && key > after)
    .sort()
  const page = keys.slice(0, max)
  const more = keys.length > page.length
  const entries = page.map(key => {
    const body = objects.get(key) as Buffer
    return `<Contents><Key>${escapeXml(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>${escapeXml(etag(body))}</ETag><Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`
  })
  const next = more ? `<NextContinuationToken>${escapeXml(page.at(-1) as string)}</NextContinuationToken>` : ''
  return xml(
    `<ListBucketResult ${NAMESPACE}><Name>${bucket}</Name><Prefix>${escapeXml(prefix)}</Prefix><KeyCount>${page.length}</KeyCount><MaxKeys>${max}</MaxKeys><IsTruncated>${more}</IsTruncated>${next}${entries.join('')}</ListBucketResult>`,
  )
}

/** Starts a stub of Amazon S3 on 127.0.0.1. It checks no signatures: whoever asks may read and write. */
export async function startS3({ buckets = ['test'], region }: S3Options = {}): Promise<S3Service> {
  const stub = new S3Stub(region)
  for (const name of buckets) stub.buckets.set(name, new Map())
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    stub.serve(request, response).catch(thrown => {
      if (!response.headersSent) response.writeHead(500)
      response.end(String(thrown))
    })
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The stub listens on no port.')
  const bucket = (name: string): Map<string, Buffer> => {
    const found = stub.buckets.get(name)
    if (found) return found
    throw new Error(`The stub has no bucket "${name}".`)
  }
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    requests: stub.requests,
    bucket,
    object(url) {
      const [, name = '', key = ''] = /^s3:\/\/([^/]+)\/(.*)$/s.exec(url) ?? []
      return stub.buckets.get(name)?.get(key)
    },
    inject(fault) {
      const active: ActiveFault = { fault, left: fault.times ?? 1, met: 0 }
      stub.active.push(active)
      return {
        get met() {
          return active.met
        },
        end: () => {
          active.left = 0
        },
      }
    },
    async close() {
      const closed = new Promise(resolve => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
