// A customer who walks through the simulated signup dialog, in a popup or in the whole page.
import type { Page } from 'playwright-core'

/** The screens, in order; `done` is the last of a popup. */
export type Screen = 'login' | 'business' | 'waba' | 'profile' | 'number' | 'verify' | 'scan' | 'permissions' | 'done' | 'failed'

type Fill = Partial<Record<Screen, (dialog: Page) => Promise<unknown>>>

/** Fills in screen after screen with what stands there already, or as `fill` says, until one is shown. */
export async function walkTo(dialog: Page, until: Screen, fill: Fill = {}): Promise<void> {
  for (;;) {
    const screen = await shown(dialog)
    if (screen === until) return
    await fill[screen]?.(dialog)
    if (screen === 'verify') {
      const code = dialog.locator('#code')
      await code.fill((await code.getAttribute('data-sent')) ?? '')
    }
    if (screen === 'scan') await dialog.locator('[name=confirmed]').check()
    await press(dialog, 'next')
    if (screen === 'permissions' && until !== 'done') return // the full page ends here
    await dialog.waitForFunction((before) => document.body?.dataset['step'] !== before, screen)
  }
}

export async function shown(dialog: Page): Promise<Screen> {
  return (await dialog.locator('body[data-step]').getAttribute('data-step')) as Screen
}

/** Presses a button of a screen. */
export async function press(dialog: Page, what: 'next' | 'back' | 'cancel' | 'report'): Promise<void> {
  await dialog.locator(`button[name=do][value=${what}]`).click()
}

/** Goes through all of it in a popup, and presses Finish. */
export async function finishPopup(popup: Page, fill: Fill = {}): Promise<void> {
  await walkTo(popup, 'done', fill)
  await Promise.all([popup.waitForEvent('close'), popup.locator('[data-do=finish]').click()])
}
