// What runs first, and is small, so that the first screen's data is asked while the rest is on the way.
import './styles.css'
import { askFirst } from './api/first'
import { nameOrganization, organizationIn, signIn, takeToken } from './api/session'
import { setUp } from './api/setup'
import { spokenLanguage } from './language'

const token = takeToken(location, history)
setUp(spokenLanguage)
nameOrganization(organizationIn(location))
if (token) {
  signIn(token)
  askFirst(location.pathname)
} else {
  void import('./shell/SignIn')
}
void import('./App')
