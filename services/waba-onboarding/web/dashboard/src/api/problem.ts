// What an answer that is no success says: a google.rpc.Status with the details of our contract.
type Detail = {
  '@type'?: string
  reason?: string
  metadata?: Record<string, string>
  message?: string
  retryDelay?: string
  fieldViolations?: { field?: string; description?: string; localizedMessage?: { message?: string } }[]
}

// NO_ANSWER and NOT_OURS are of this page: the server could not be reached, or something before it answered.
export type LocalReason = 'NO_ANSWER' | 'NOT_OURS'

// Problem is any failed request, with what a person needs: what happened, what to do, and what to quote.
export class Problem extends Error {
  readonly status: number
  // An ErrorReason, or a LocalReason.
  readonly reason: string
  // In the language of the page; empty for a LocalReason.
  readonly text: string
  readonly requestId: string
  readonly metadata: Record<string, string>
  // What each field breaks, in the language of the page; in English where the service has no words in it.
  readonly fields: { field: string; rule: string }[]

  constructor(status: number, body: unknown, requestId: string) {
    const details = detailsOf(body)
    const info = find(details, 'ErrorInfo')
    const reason = info?.reason ?? (status === 0 ? 'NO_ANSWER' : 'NOT_OURS')
    super(`${reason} (${status})`)
    this.status = status
    this.reason = reason
    this.text = find(details, 'LocalizedMessage')?.message ?? messageOf(body)
    this.metadata = info?.metadata ?? {}
    this.requestId = requestId || (this.metadata.requestId ?? '')
    this.fields = (find(details, 'BadRequest')?.fieldViolations ?? []).map((v) => ({
      field: v.field ?? '',
      rule: v.localizedMessage?.message ?? v.description ?? '',
    }))
  }

  // Whether the same request may well succeed in a moment: as the kit has it. 501 is no method of this service's.
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || (this.status >= 500 && this.status !== 501)
  }
}

function detailsOf(body: unknown): Detail[] {
  const details = (body as { details?: unknown } | null | undefined)?.details
  return Array.isArray(details) ? (details as Detail[]) : []
}

function messageOf(body: unknown): string {
  const message = (body as { message?: unknown } | null | undefined)?.message
  return typeof message === 'string' ? message : ''
}

const find = (details: Detail[], type: string) => details.find((d) => d['@type']?.endsWith(`google.rpc.${type}`))
