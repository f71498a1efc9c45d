import { getRouteApi } from '@tanstack/react-router'
import { FilterLink } from '../ui/FilterLink'
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
        <FilterLink to="/events" search={{}} className={ui.tab} on={!destinations}>
          {words.events.changes}
        </FilterLink>
        <FilterLink to="/events" search={{ tab: 'destinations' }} className={ui.tab} on={destinations}>
          {words.events.destinations}
        </FilterLink>
      </nav>
      {destinations ? <Destinations /> : <Changes />}
    </>
  )
}
