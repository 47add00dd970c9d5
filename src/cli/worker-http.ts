import { exposition } from '../metrics/exposition.js'
import { type MetricsSnapshot, prometheusMetrics } from '../metrics/prometheus-metrics.js'
import { type HttpServer, serveHttp } from '../worker/http-server.js'
import type { ListenAddress } from '../worker/listen-address.js'
import type { WorkerView } from '../worker/process-status.js'
import { workerMetrics } from '../worker/worker-metrics.js'
import { workerPages } from '../worker/worker-pages.js'

/** Serves a worker's probes and the merged metrics of its processes. @throws MillraceError HTTP */
export async function serveWorker(address: ListenAddress, view: WorkerView<MetricsSnapshot>): Promise<HttpServer> {
  const own = await prometheusMetrics({ process: 'worker' })
  own.add(workerMetrics(view))
  const metrics = async () => {
    const [mine, others] = await Promise.all([own.snapshot(), view.snapshots()])
    const { contentType, text } = await exposition([mine, ...others.values()])
    return { status: 200, contentType, text }
  }
  return serveHttp(address, workerPages(view, metrics))
}
