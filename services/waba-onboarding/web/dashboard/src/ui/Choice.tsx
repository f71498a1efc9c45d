import { Input } from '@mantine/core'
import { useId } from 'react'

type Props = { label: string; value: string; onChange: (value: string) => void; options: { value: string; label: string }[]; hiddenLabel?: boolean }

// Choice is the browser's own list: it works with every keyboard, reader and phone.
export function Choice({ label, value, onChange, options, hiddenLabel }: Props) {
  const id = useId()
  return (
    <Input.Wrapper id={id} label={hiddenLabel ? undefined : label}>
      <Input id={id} component="select" aria-label={hiddenLabel ? label : undefined} pointer value={value} onChange={(e) => onChange((e.currentTarget as unknown as HTMLSelectElement).value)}>
        {options.map((o) => (
          <option key={o.value} value={o.value}>
            {o.label}
          </option>
        ))}
      </Input>
    </Input.Wrapper>
  )
}
