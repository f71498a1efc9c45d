import { Button } from '@mantine/core'
import { useSpeech } from '../words'

type Pages = { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }

// More reads the next page of a list, where there is one.
export function More({ of: pages, mt }: { of: Pages; mt?: 'sm' | 'md' }) {
  const { words } = useSpeech()
  if (!pages.hasNextPage) return null
  return (
    <Button variant="default" mt={mt} loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
      {words.common.more}
    </Button>
  )
}
