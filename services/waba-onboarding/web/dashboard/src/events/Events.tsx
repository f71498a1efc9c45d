import { getRouteApi, Link } from '@tanstack/react-router'
import { PageHead } from '../ui/parts'
import { useSpeech } from '../words'
import ui from '../ui/ui.module.css'
import { Changes } from './Changes'
import { Destinations } from './Destinations'

const route = getRouteApi('/events')

export default function Events() {
  const { words } = useSpeech()
  const { tab } = route.useSearch()
  const destinations = tab === 'destinations'
  return (
    <>
      <PageHead title={words.nav.events} lead={words.events.lead} />
      <nav className={ui.tabs} aria-label={words.nav.events}>
        <Link to="/events" search={{}} className={ui.tab} activeProps={{}} aria-current={destinations ? undefined : 'page'}>
          {words.events.changes}
        </Link>
        <Link to="/events" search={{ tab: 'destinations' }} className={ui.tab} activeProps={{}} aria-current={destinations ? 'page' : undefined}>
          {words.events.destinations}
        </Link>
      </nav>
      {destinations ? <Destinations /> : <Changes />}
    </>
  )
}
