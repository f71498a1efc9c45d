// The page's few pictures, drawn on a grid of 24 with one stroke. They never speak alone: a word stands beside each.
const PATHS = {
  check: 'M5 12.5l4.5 4.5L19 7.5',
  warn: 'M12 8v5M12 16.5v.01M10.3 4.3L2.9 17.2A2 2 0 0 0 4.6 20h14.8a2 2 0 0 0 1.7-2.8L13.7 4.3a2 2 0 0 0-3.4 0z',
  cross: 'M7 7l10 10M17 7L7 17',
  dash: 'M7 12h10',
  dot: 'M12 12h.01',
  busy: 'M12 4a8 8 0 1 1-8 8',
  home: 'M4 11l8-7 8 7v8a1 1 0 0 1-1 1h-4v-6h-6v6H5a1 1 0 0 1-1-1z',
  link: 'M9.5 14.5l5-5M11 6.5l1.2-1.2a4.2 4.2 0 0 1 6 6L17 12.5M13 17.5l-1.2 1.2a4.2 4.2 0 0 1-6-6L7 11.5',
  attempts: 'M12 7v5l3.5 2M12 3.5A8.5 8.5 0 1 1 4.2 9M4 4.5V9h4.5',
  events: 'M4 13h3.5l2.2-7 4.4 12 2.2-5H20',
  search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM16 16l4.5 4.5',
  copy: 'M9 9h10v11H9zM15 9V4H5v11h4',
  download: 'M12 4v11M7.5 11L12 15.5 16.5 11M5 19.5h14',
  plus: 'M12 5v14M5 12h14',
  more: 'M5.5 12h.01M12 12h.01M18.5 12h.01',
  chevron: 'M9 6l6 6-6 6',
  back: 'M15 6l-6 6 6 6',
  send: 'M4.5 12L20 4.5 15.5 20l-3.2-6.3zM12.3 13.7L20 4.5',
  in: 'M17 7L7 17M7 9v8h8',
  out: 'M7 17L17 7M9 7h8v8',
  user: 'M12 4.5a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6zM5 20c.8-3.4 3.6-5 7-5s6.2 1.6 7 5',
  phone: 'M8 3.5h8a1 1 0 0 1 1 1v15a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1v-15a1 1 0 0 1 1-1zM11 17.5h2',
  settings: 'M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4',
} as const

// What is drawn with points alone.
const THICK: Partial<Record<IconName, number>> = { more: 2.8, dot: 9 }

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={THICK[name] ?? 1.8} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
