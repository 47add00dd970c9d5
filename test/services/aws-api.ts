import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A login that the stub handed out, and to whom. */
interface IssuedLogin {
  readonly user: string
  readonly password: string
  /** `DbName`, `ClusterIdentifier`, `workgroupName`, … as the SDK sent them. */
  readonly parameters: Readonly<Record<string, string>>
  /** Region that the request was signed for. */
  readonly region: string | undefined
}

/** A refusal as AWS would send it. */
interface ApiFault {
  readonly status: number
  readonly code: string
  readonly message: string
}

export interface AwsApiService {
  readonly endpoint: string
  /** Logins handed out, oldest first. */
  readonly issued: readonly IssuedLogin[]
  /** When the logins from now on expire, in ms since 1970. */
  expiresAt: number
  /** Answers of the next requests, before it works again. */
  readonly faults: ApiFault[]
  close(): Promise<void>
}

/**
 * A stub of two services on 127.0.0.1: GetClusterCredentialsWithIAM of Redshift in AWS's query protocol, and
 * GetCredentials of Redshift Serverless in its JSON protocol 1.1.
 */
export async function startAwsApi(expiresAt: number): Promise<AwsApiService> {
  const issued: IssuedLogin[] = []
  const faults: ApiFault[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const target = request.headers['x-amz-target']
    const fault = faults.shift()
    const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1]
    const issue = (user: string, parameters: Record<string, string>) => {
      const login = { user, password: `password-${issued.length + 1}`, parameters, region }
      issued.push(login)
      return login
    }
    if (target === undefined) {
      const parameters = Object.fromEntries(new URLSearchParams(text))
      const answer = fault
        ? `<ErrorResponse><Error><Type>Sender</Type><Code>${fault.code}</Code><Message>${fault.message}</Message></Error></ErrorResponse>`
        : clusterAnswer(issue('IAMR:millrace', parameters), service.expiresAt)
      response.writeHead(fault?.status ?? 200, { 'content-type': 'text/xml' }).end(answer)
    } else {
      const login = fault ? undefined : issue('IAM:millrace', JSON.parse(text))
      const answer = fault
        ? { __type: fault.code, message: fault.message }
        : { dbUser: login?.user, dbPassword: login?.password, expiration: service.expiresAt / 1_000 }
      response.writeHead(fault?.status ?? 200, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify(answer))
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const service = {
    endpoint: `http://127.0.0.1:${port}`,
    issued,
    expiresAt,
    faults,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return service
}

function clusterAnswer({ user, password }: IssuedLogin, expiresAt: number): string {
  const expiration = new Date(expiresAt).toISOString()
  return `<GetClusterCredentialsWithIAMResponse xmlns="http://redshift.amazonaws.com/doc/2012-12-01/"><GetClusterCredentialsWithIAMResult><DbUser>${user}</DbUser><DbPassword>${password}</DbPassword><Expiration>${expiration}</Expiration></GetClusterCredentialsWithIAMResult></GetClusterCredentialsWithIAMResponse>`
}
