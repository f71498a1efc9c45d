import { createTheme, localStorageColorSchemeManager, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

// One accent, used sparingly: what is primary, and what is well. Chosen for AA contrast on both backgrounds.
const brand: MantineColorsTuple = ['#e9f7f0', '#d2eee1', '#a5dcc4', '#74c9a5', '#3fbe8b', '#1fa974', '#128a5d', '#0b7350', '#085c40', '#054530']

const red: MantineColorsTuple = ['#fff1ef', '#fcdedb', '#f9bdb7', '#ff9c93', '#ff8f85', '#e5574c', '#cf3a30', '#b3261e', '#8f1c16', '#6b130f']

export const schemes = localStorageColorSchemeManager({ key: 'whatrack.theme' })

export const theme = createTheme({
  primaryColor: 'brand',
  primaryShade: { light: 7, dark: 4 },
  colors: { brand, red },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  radius: { xs: '4px', sm: '6px', md: '9px', lg: '14px', xl: '20px' },
  components: {
    Button: { defaultProps: { size: 'sm' } },
    Modal: { defaultProps: { centered: true, radius: 'lg', padding: 24, overlayProps: { backgroundOpacity: 0.45 } } },
    Drawer: { defaultProps: { position: 'right', size: 'lg', padding: 24, overlayProps: { backgroundOpacity: 0.35 } } },
  },
})

// Mantine's own surfaces follow the page's.
export const variables: CSSVariablesResolver = () => {
  const common = {
    '--mantine-color-body': 'var(--surface)',
    '--mantine-color-text': 'var(--text)',
    '--mantine-color-dimmed': 'var(--muted)',
    '--mantine-color-default': 'var(--surface)',
    '--mantine-color-default-hover': 'var(--hover)',
    '--mantine-color-default-border': 'var(--line-strong)',
    '--mantine-color-error': 'var(--broken)',
    '--mantine-color-placeholder': 'var(--muted)',
  }
  return { variables: {}, light: common, dark: common }
}
