// csv writes rows as RFC 4180 wants them, with the mark by which spreadsheets know UTF-8.
export function csv(rows: (string | undefined)[][]): string {
  return '\ufeff' + rows.map((row) => row.map((cell) => field(cell ?? '')).join(',')).join('\r\n') + '\r\n'
}

function field(text: string): string {
  // A spreadsheet would run what begins so as a formula; a phone number is none.
  const safe = /^[=@\t\r]|^[+-](?![\d ]+[\d -]*$)/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export function download(name: string, text: string, type: string) {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
