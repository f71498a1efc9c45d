import css from './shell.module.css'

export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className={css.mark}>
      <rect width="32" height="32" rx="9" />
      <path d="M9 16.5a5 5 0 0 1 5-5h2.2M23 15.5a5 5 0 0 1-5 5h-2.2" />
      <circle cx="16" cy="16" r="1.7" />
    </svg>
  )
}
