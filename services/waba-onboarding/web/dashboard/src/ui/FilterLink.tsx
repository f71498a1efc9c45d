import { createLink } from '@tanstack/react-router'
import type { ComponentProps } from 'react'

// FilterLink leads to the same screen with another filter. on: it is the one that is shown. The router alone can not tell,
// since the address may hold more than the filter.
export const FilterLink = createLink(function FilterAnchor({ on, ...props }: ComponentProps<'a'> & { on: boolean }) {
  return <a {...props} aria-current={on ? 'page' : undefined} />
})
