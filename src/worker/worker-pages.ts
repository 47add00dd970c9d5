import { livenessProblems, readinessProblems } from './health.js'
import type { Page } from './http-server.js'
import type { ProcessStatus, WorkerView } from './process-status.js'

const INDEX = `millrace worker
/healthz  200 while no loop and no commit stalls and restarts help, else 503
/readyz   200 while all assigned tasks of all processes run, else 503
/metrics  figures for Prometheus
`

/** What a worker serves: probes as JSON with the figures they were judged by, and its metrics. */
export function workerPages(
  view: WorkerView<unknown>,
  metrics: () => Promise<Page>,
): Readonly<Record<string, () => Page | Promise<Page>>> {
  return {
    '/': () => ({ status: 200, contentType: 'text/plain; charset=utf-8', text: INDEX }),
    '/healthz': () => probe(view.processes(), livenessProblems),
    '/readyz': () => probe(view.processes(), readinessProblems),
    '/metrics': metrics,
  }
}

function probe(
  processes: readonly ProcessStatus[],
  judge: (processes: readonly ProcessStatus[], now: number) => readonly string[],
): Page {
  const problems = judge(processes, Date.now())
  const body = { ok: problems.length === 0, problems, processes }
  return {
    status: body.ok ? 200 : 503,
    contentType: 'application/json; charset=utf-8',
    text: `${JSON.stringify(body, undefined, 2)}\n`,
  }
}
