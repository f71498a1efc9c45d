import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { lazy, StrictMode, Suspense, useSyncExternalStore } from 'react'
import { createRoot } from 'react-dom/client'
import { currentSession, watchSession } from './api/session'
import { queries } from './api/setup'
import { router } from './router'
import { schemes, theme, variables } from './theme'
import { SpeechProvider } from './words'

const SignIn = lazy(() => import('./shell/SignIn'))

// The service says its sentences in the language of the page.
const askAgain = () => void queries.invalidateQueries()

function App() {
  const { token, refused, open } = useSyncExternalStore(watchSession, currentSession)
  return (
    <>
      {(token || open) && <RouterProvider router={router} />}
      {!token && (
        <Suspense fallback={null}>
          <SignIn again={open} refused={refused} />
        </Suspense>
      )}
    </>
  )
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} colorSchemeManager={schemes} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <SpeechProvider onChange={askAgain}>
          <App />
        </SpeechProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
