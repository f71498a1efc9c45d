// What a page must be for everybody: WCAG 2.2 AA as far as a program can tell.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Fails on what axe finds, on a page that scrolls sideways, and on text that is cut off. */
export async function accessible(page: Page, where: string): Promise<void> {
  await page.evaluate(axe)
  const problems = await page.evaluate(async () => {
    const { violations } = await (window as any).axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
    return violations.map((v: any) => `${v.id}: ${v.nodes.map((n: any) => n.target).join(', ')}`)
  })
  assert.deepEqual(problems, [], where)
  await fits(page, where)
}

/** Fails on a page that is wider than its window, and on text that is cut (1.4.10, Reflow). */
export async function fits(page: Page, where: string): Promise<void> {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(overflow <= 0, `${where} is ${overflow} px too wide`)
  assert.deepEqual(await page.evaluate(cutTexts), [], `${where}: texts that are cut`)
}

/** Runs in the page: texts that reach out of the window, or out of a box that hides what does, and can not be scrolled to. */
function cutTexts(): string[] {
  const cut: string[] = []
  for (const element of document.body.querySelectorAll<HTMLElement>('*')) {
    const own = [...element.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent?.trim())
    if (!own || !element.checkVisibility()) continue
    const range = document.createRange()
    range.selectNodeContents(element)
    const text = range.getBoundingClientRect()
    let [left, right] = [0, innerWidth]
    let reachable = false // by scrolling, or not meant to be seen
    for (let box: Element | null = element; box; box = box.parentElement) {
      const { overflowX, clipPath, clip } = getComputedStyle(box)
      const rect = box.getBoundingClientRect()
      if (/auto|scroll/.test(overflowX) || clipPath !== 'none' || clip !== 'auto' || rect.right - rect.left <= 1) reachable = true
      if (/hidden|clip/.test(overflowX)) [left, right] = [Math.max(left, rect.left), Math.min(right, rect.right)]
    }
    if (!reachable && (text.left < left - 1 || text.right > right + 1)) cut.push(`${element.tagName} "${element.textContent?.trim().slice(0, 40)}"`)
  }
  return cut
}

/** Fails when the element with the focus is covered by another (2.4.11, Focus Not Obscured), walking with the Tab key. */
export async function focusShows(page: Page, where: string, most = 60): Promise<void> {
  await page.evaluate(() => {
    ;(document.activeElement as HTMLElement | null)?.blur()
    scrollTo(0, 0)
  })
  const seen = new Set<string>()
  for (let i = 0; i < most; i++) {
    await page.keyboard.press('Tab')
    const focus = await page.evaluate(focused)
    if (!focus || seen.has(focus.id)) break
    seen.add(focus.id)
    assert.ok(focus.shows, `${where}: the focus on ${focus.name} is covered by ${focus.by}`)
  }
  assert.ok(seen.size > 0, `${where}: nothing takes the focus`)
}

/** Runs in the page: what has the focus, and whether any of it can be seen. */
function focused(): { id: string; name: string; shows: boolean; by: string } | undefined {
  const element = document.activeElement
  if (!element || element === document.body) return undefined
  const all = ((window as any).order ??= new Map()) as Map<Element, string>
  if (!all.has(element)) all.set(element, String(all.size))
  const { left, top, width, height } = element.getBoundingClientRect()
  let by = 'the edge of the window'
  const shows = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]].some(([x = 0, y = 0]) => {
    const hit = document.elementFromPoint(left + x * width, top + y * height)
    if (hit) by = `${hit.tagName}.${hit.className}`
    // A field that is drawn by its label is seen by it.
    return hit !== null && (element.contains(hit) || Boolean((element as HTMLInputElement).labels && [...(element as HTMLInputElement).labels!].some((l) => l.contains(hit))))
  })
  return { id: all.get(element) ?? '', name: `${element.tagName} "${(element.textContent || element.getAttribute('aria-label') || '').trim().slice(0, 40)}"`, shows, by }
}

/** Pictures for people to look at: only where they are asked for, since no two machines draw the same pixels. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS']
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: `${folder}/${name}.png` })
}
