import { useInfiniteQuery, type QueryKey } from '@tanstack/react-query'

type Page = { nextPageToken?: string }

type List<P> = {
  key: QueryKey
  // How often what is shown is read again, in milliseconds.
  every: number
  // What was shown before stays until another key is answered.
  keeps?: boolean
  read: (pageToken: string | undefined, signal: AbortSignal) => Promise<{ data: P }>
}

// usePages reads a list from its newest on, page by page as somebody asks for more.
export const usePages = <P extends Page>({ key, every, keeps, read }: List<P>) =>
  useInfiniteQuery({
    queryKey: key,
    queryFn: async ({ pageParam, signal }) => (await read(pageParam || undefined, signal)).data,
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: (before) => (keeps ? before : undefined),
    refetchInterval: every,
  })
