import { Menu, useMantineColorScheme } from '@mantine/core'
import { signOut } from '../api/session'
import { Icon } from '../ui/Icon'
import { LANGUAGES, useSpeech, WORDS } from '../words'
import { PreferencesButton } from './PreferencesButton'

const SCHEMES = [['light', 'light'], ['dark', 'dark'], ['auto', 'system']] as const

// Preferences are the language, the theme and, for who is signed in, the rest of what is not about work.
export default function Preferences({ signedIn, opened }: { signedIn?: boolean; opened?: boolean }) {
  const { words, language, speak } = useSpeech()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <Menu position="top-start" width={230} withinPortal defaultOpened={opened}>
      <Menu.Target>
        <PreferencesButton />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{words.shell.language}</Menu.Label>
        {LANGUAGES.map((l) => (
          <Menu.Item key={l} lang={l} role="menuitemradio" aria-checked={l === language} rightSection={l === language && <Icon name="check" size={16} />} onClick={() => speak(l)}>
            {WORDS[l].language}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{words.shell.appearance}</Menu.Label>
        {SCHEMES.map(([scheme, name]) => (
          <Menu.Item key={scheme} role="menuitemradio" aria-checked={scheme === colorScheme} rightSection={scheme === colorScheme && <Icon name="check" size={16} />} onClick={() => setColorScheme(scheme)}>
            {words.shell[name]}
          </Menu.Item>
        ))}
        {signedIn && (
          <>
            <Menu.Divider />
            <Menu.Item onClick={() => document.dispatchEvent(new CustomEvent('whatrack:keys'))}>{words.shell.keys}</Menu.Item>
            <Menu.Item onClick={signOut}>{words.shell.signOut}</Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
