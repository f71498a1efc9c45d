import './styles.css'
import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { signIn, takeToken, useSession } from './api/session'
import { queries, setUp } from './api/setup'
import { router } from './router'
import { SignIn, SignInAgain } from './shell/SignIn'
import { schemes, theme, variables } from './theme'
import { SpeechProvider, spokenLanguage } from './words'

const token = takeToken(location, history)
if (token) signIn(token)
setUp(spokenLanguage)

// The service says its sentences in the language of the page.
const askAgain = () => void queries.invalidateQueries()

function App() {
  const { token, refused, open } = useSession()
  return (
    <>
      {(token || open) && <RouterProvider router={router} />}
      {!token && (open ? <SignInAgain /> : <SignIn refused={refused} />)}
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
