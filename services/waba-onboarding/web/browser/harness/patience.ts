/** How long a test waits for anything, in milliseconds: longer on a slow machine. */
export const patience = Number(process.env['PATIENCE'] ?? 20_000)

/** Asks until the answer is as wanted; what the service does by itself takes a moment. */
export async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  for (const start = Date.now(); ; await new Promise((resume) => setTimeout(resume, 100))) {
    const answer = await ask()
    if (wanted(answer)) return answer
    if (Date.now() - start > patience) throw new Error(`still ${JSON.stringify(answer)}`)
  }
}
