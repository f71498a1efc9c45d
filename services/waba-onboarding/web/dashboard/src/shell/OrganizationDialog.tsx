import { Modal } from '@mantine/core'
import { useSearch } from '@tanstack/react-router'
import OrganizationForm from '../ui/OrganizationForm'
import { useSpeech } from '../words'

export default function OrganizationDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { words } = useSpeech()
  const { org } = useSearch({ strict: false }) as { org?: string }
  return (
    <Modal opened={open} onClose={onClose} title={words.shell.organization} closeButtonProps={{ 'aria-label': words.common.close }}>
      <OrganizationForm key={org} onDone={onClose} />
    </Modal>
  )
}
