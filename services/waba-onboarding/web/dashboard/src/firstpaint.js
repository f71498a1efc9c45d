// Runs before anything is painted: the theme that was chosen, else the system's.
;(function () {
  var theme = null
  try {
    theme = localStorage.getItem('whatrack.theme')
  } catch (e) {
    // Storage may be switched off.
  }
  if (theme !== 'light' && theme !== 'dark') theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  document.documentElement.setAttribute('data-mantine-color-scheme', theme)
})()
