import type { Evidence } from '../chain'
import type { Format } from '../format'
import type { Words } from '.'
import { isRefusal } from './known'

const s = (count: number, one: string, many: string) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`

const tokenState: Record<string, string> = {
  UNVERIFIED: 'Meta has not confirmed the access yet', ACTIVE: 'Active', EXPIRED: 'The access has expired', INVALID: 'Meta says that the access is no longer valid', SUPERSEDED: 'The access was replaced by another', REVOKED: 'We took the access away',
}
const numberStatus: Record<string, string> = {
  CONNECTED: 'Connected', PENDING: 'Pending', OFFLINE: 'Offline', FLAGGED: 'Flagged', RESTRICTED: 'Restricted', BANNED: 'Banned', DISCONNECTED: 'Disconnected', UNVERIFIED: 'Not verified', RATE_LIMITED: 'Rate limited', MIGRATED: 'Migrated', DELETED: 'Deleted',
}
const canSend: Record<string, string> = { AVAILABLE: 'free', LIMITED: 'limited by Meta', BLOCKED: 'blocked by Meta' }
const quality: Record<string, string> = { GREEN: 'high', YELLOW: 'medium', RED: 'low', UNKNOWN: 'not rated yet' }

const messages: Record<string, string> = {
  audio: 'Audio', button: 'Button', contacts: 'Contact', document: 'Document', image: 'Image', interactive: 'Interactive message', location: 'Location', order: 'Order',
  reaction: 'Reaction', sticker: 'Sticker', system: 'Notice from WhatsApp', template: 'Message template', unsupported: 'A kind of message that WhatsApp does not deliver here', video: 'Video',
}

const failed = (failure: string) => isRefusal(failure) ? `Your system refused (${failure})` : `It did not reach your system (${failure})`

export const en = {
  product: 'Whatrack Connect',
  language: 'English',
  nav: { overview: 'Overview', connections: 'Connections', attempts: 'Attempts', events: 'Events' },
  shell: {
    skip: 'Skip to content', menu: 'Menu', main: 'Main', signOut: 'Sign out', appearance: 'Appearance',
    light: 'Light', dark: 'Dark', system: 'System', language: 'Language', keys: 'Keyboard shortcuts',
    organization: 'Organization', allOrganizations: 'All organizations', organizationHelp: 'The id of the organization as your system knows it. Empty: all that your access reaches.', organizationOne: 'The id of the organization as your system knows it.',
    organizationRule: 'Up to 64 letters, digits, dots, hyphens or underscores.', show: 'Show', notFound: 'There is no such page.', toOverview: 'Go to the overview',
  },
  keys: {
    title: 'Keyboard shortcuts', search: 'Search', list: 'Show this list', go: 'Go to', close: 'Close',
    enabled: 'Use single-key shortcuts', enabledHelp: 'Switch off if you use voice control or a screen reader.',
  },
  signIn: {
    again: 'Sign in again to go on', title: 'Sign in', lead: 'Watch over and care for your customers’ WhatsApp accounts.',
    label: 'Access key', help: 'The token of a caller in the CALLERS_FILE list. The demonstration stack prints it when it starts and keeps it in data/operator-token.',
    button: 'Sign in', required: 'Paste the access key.', shape: 'A key has no spaces or accents. Check that you copied all of it.',
    refused: 'The key was not accepted or is no longer valid. Paste a valid one to go on where you were.',
    memory: 'The key stays in this tab’s memory alone and is gone when you reload.',
  },
  common: {
    cancel: 'Cancel', close: 'Close', back: 'Back', retry: 'Try again', copy: 'Copy', copied: 'Copied', more: 'Show more', loading: 'Loading…',
    never: 'never', none: 'none', unknown: 'unknown', all: 'All', search: 'Search', clear: 'Clear filters', details: 'Details',
    why: 'Reason', now: 'now', of: (a: number, b: number) => `${a} of ${b}`, partial: (count: number, all: boolean) => `Showing the first ${count.toLocaleString('en')}. ${all ? 'Choose an organization to see the rest.' : 'The API has the rest.'}`,
    stale: (age: string) => `Could not refresh. What you see is from ${age}.`, updated: (age: string) => `Updated ${age}`, openInNew: 'opens in another tab',
  },
  problem: {
    code: 'Code', request: 'request', meta: 'Meta said', copyCode: 'Copy code', form: 'does not have the form that is expected', title: 'That did not work',
    local: {
      NO_ANSWER: 'The server did not answer. Check the connection and try again.',
      NOT_OURS: 'The answer did not come from this service. Try again; if it stays, tell whoever runs the system.',
    },
    organization: 'Your access reaches several organizations. Say which one to work in.',
  },
  state: {
    CLAIMING: 'Connecting', CONNECTED: 'Connected', ATTENTION: 'Attention', RECONNECT_REQUIRED: 'Reconnection required', DISCONNECTED: 'Disconnected',
  },
  tabs: {
    CLAIMING: 'Connecting', CONNECTED: 'Connected', ATTENTION: 'Attention', RECONNECT_REQUIRED: 'Reconnection required', DISCONNECTED: 'Disconnected',
  },
  onboarding: {
    STARTED: 'Started', EXCHANGING: 'Receiving access', CHOOSING_WABA: 'Choosing the account', CLAIMING: 'Connecting', CONNECTED: 'Completed',
    FAILED: 'Not completed', CANCELLED: 'Cancelled', EXPIRED: 'Expired',
  },
  step: {
    exchange: 'Receive the access', find: 'Find the account', hold: 'Reserve the account', read: 'Read the numbers', subscribe: 'Subscribe to webhooks',
    prove: 'Confirm the webhooks with Meta', bind: 'Keep the access',
  },
  stepState: {
    PENDING: 'to do', RUNNING: 'under way', DONE: 'done', WAITING: 'will be tried again', FAILED: 'failed', UNKNOWN: 'no answer', SKIPPED: 'not needed',
  },
  signup: {
    OPENED: 'Opened Meta’s window', FINISHED: 'Finished at Meta', CANCELLED: 'Closed Meta’s window', FAILED: 'Meta showed an error', BLOCKED: 'The browser blocked the window',
  },
  registration: {
    NOT_NEEDED: 'Not needed', PENDING: 'Registering', REGISTERED: 'Registered', WAITING_FOR_META: 'Name in review at Meta', PIN_REQUIRED: 'PIN required', FAILED: 'Failed',
  },
  sync: {
    PENDING: 'to be asked for', REQUESTED: 'asked of Meta', RUNNING: 'arriving', DONE: 'complete', DECLINED: 'not shared', FAILED: 'failed', UNKNOWN: 'asked, no answer',
  },
  message: {
    RECEIVED: 'Received', SENDING: 'Sending', ACCEPTED: 'Accepted by Meta', SENT: 'Sent', DELIVERED: 'Delivered', READ: 'Read', FAILED: 'Failed',
    UNKNOWN: 'Not known whether it left',
  },
  direction: { INBOUND: 'From the customer', OUTBOUND: 'By the system', ECHO: 'From the app' },
  change: { RESOLVED: 'Given to its connection', WAITING: 'Waits for a connection', UNPARSED: 'Not understood', IGNORED: 'Not ours' },
  destinationState: { ACTIVE: 'Active', HELD: 'Held', DISABLED: 'Off' },
  kind: { EVENTS: 'Signed events (Standard Webhooks)', META_RAW: 'Meta’s own format' },
  tokenState, numberStatus, quality, canSend,
  nameStatus: {
    APPROVED: 'approved', AVAILABLE_WITHOUT_REVIEW: 'in use, needs no review', PENDING_REVIEW: 'in review', DECLINED: 'declined', EXPIRED: 'expired', NONE: 'no review', NON_EXISTS: 'not set',
  } as Record<string, string>,
  level: { ok: 'In order', warn: 'Attention', broken: 'Broken', idle: 'No data' },
  link: {
    access: 'Access', permissions: 'Permissions', account: 'Account shared', subscription: 'Webhook subscription', number: 'Number at Meta', event: 'Last event from Meta', delivery: 'Delivery to your system',
  },
  mend: {
    check: 'Check now', subscribe: 'Subscribe again', register: 'Register number', reconnect: 'Connect again', destinations: 'See destinations',
  },
  evidence: (e: Evidence, f: Format, now: number): string => {
    switch (e.code) {
      case 'reason': return e.message || e.reason.toLowerCase().replaceAll('_', ' ')
      case 'tokenActive': return e.until ? `Active until ${f.date(e.until)}` : 'Active, does not expire'
      case 'tokenEnding': return `The access ends ${f.ago(e.until, now)}, on ${f.date(e.until)}: the customer has to reconnect by then`
      case 'tokenState': return tokenState[e.state] ?? e.state
      case 'ownBusiness': return 'Access of your own business'
      case 'noToken': return 'No access is kept'
      case 'granted': return 'Meta lets us read and subscribe to this account'
      case 'unknown': return 'Not checked yet'
      case 'noAccess': return 'Can not be checked without access'
      case 'shared': return 'The account answers to the customer’s access'
      case 'notProven': return 'Meta does not confirm that it tells us about this account'
      case 'proven': return `Confirmed by Meta ${f.ago(e.time, now)}`
      case 'numberFine': return e.count > 1 ? `${e.count} numbers in order` : `${e.number} in order${e.quality === 'GREEN' ? ', high quality' : ''}`
      case 'numberQuality': return `${e.quality === 'RED' ? 'Low' : 'Medium'} quality of ${e.number}`
      case 'numberStatus': return `Meta says that ${e.number} is: ${(numberStatus[e.status] ?? e.status).toLowerCase()}`
      case 'event': return `Received ${f.ago(e.time, now)}`
      case 'noEvent': return 'None yet. A message to the number shows whether it arrives'
      case 'quiet': return `The last one came ${f.ago(e.time, now)}; other accounts received ${f.ago(e.others, now)}`
      case 'delivered': return 'Your system received everything'
      case 'noDelivery': return 'Nothing has been delivered yet'
      case 'noMessages': return 'No destination takes messages: its event types leave them out'
      case 'waiting': return `${s(e.count, 'event waits', 'events wait')} to be delivered${e.since ? ` since ${f.ago(e.since, now)}` : ''}`
      case 'noDestination': return 'No destination. Events can be read through the API'
      case 'unreadable': return 'The destinations could not be read'
      case 'held': return `Held: ${s(e.count, 'event waits', 'events wait')}${e.since ? ` since ${f.ago(e.since, now)}` : ''}`
      case 'disabled': return `A destination is off; ${s(e.count, 'event is kept', 'events are kept')}`
      case 'failing': return `${failed(e.failure)}; ${s(e.count, 'event is', 'events are')} tried again`
      case 'notConnected': return 'Does not apply'
    }
  },
  overview: {
    lead: 'How your customers’ accounts are, right now.', see: 'See who needs action', worst: 'Need action', allGood: 'All in order. No account needs you right now.',
    ending: 'Access ends within 14 days', endingNone: 'No access ends within the next two weeks.', traffic: 'Events received', trafficFrom: (count: number, from: string) => `${s(count, 'event', 'events')} since ${from}`,
    trafficNone: 'Meta has not sent any event yet.', trafficBar: (count: number, time: string) => `${time}: ${s(count, 'event', 'events')}`, attempts: 'Latest attempts', allAttempts: 'See all',
    emptyTitle: 'Connect the first customer', emptyLead: 'Three steps until you see the first message arrive.',
    steps: ['Open Meta’s signup and choose the business, the WhatsApp account and the number.', 'We keep the access, subscribe to the webhooks and confirm each step.', 'Send a message to the number: it shows up here within seconds.'],
  },
  connections: {
    lead: 'Every WhatsApp account that your customers connected.', connect: 'Connect WhatsApp', csv: 'Download CSV', searchHint: 'Customer, number or id',
    customer: 'Customer', numbers: 'Numbers', situation: 'State', last: 'Last event', until: 'Access until', checked: 'Checked', moreNumbers: (n: number) => `and ${n} more`,
    noExpiry: 'does not expire', emptyTitle: 'No connection yet', emptyLead: 'When a customer connects WhatsApp, the account shows up here.',
    noneTitle: 'Nothing found', noneLead: 'No connection matches the search and the filters.', found: (n: number) => s(n, 'connection', 'connections'), unnamed: 'Account without a name', file: 'connections',
  },
  connection: {
    verdict: {
      connected: 'Receiving events from Meta.', lastEvent: (age: string) => `The last one ${age}.`, noEvent: 'Connected. No event has arrived yet: send a message to the number to see.',
      claiming: (step: string, n: number) => `Connecting: ${step} (step ${n} of 7). It goes on by itself.`, claimingSoon: 'Connecting. It goes on by itself.', disconnected: (when: string) => `Disconnected on ${when}. The history stays.`,
    },
    chain: 'From the customer to your system', timeline: 'Timeline', numbers: 'Numbers', messages: 'Messages', ids: 'Identifiers', actions: 'More actions', people: 'Who acted',
    checked: 'Checked with Meta.', subscribed: 'Subscribed again and confirmed.', registered: 'Registration requested.', since: (age: string) => `in this state since ${age}`,
    disconnect: 'Disconnect', disconnectTitle: 'Disconnect this account?', disconnectLead: 'We stop receiving this account’s events and erase the access. The history stays. To come back, the customer has to connect again.',
    disconnectType: (word: string) => `To confirm, type ${word}`, disconnectDone: 'Disconnection requested.', reconnectWho: 'Only the customer can reconnect, with their own Facebook login.',
    pinTitle: (number: string) => `Register ${number}`, pinLead: 'If the number has a two-step verification PIN, enter it. Without one we use the PIN that we keep, or make a new one.', pinLabel: '6-digit PIN', pinShape: 'The PIN has 6 digits.', pinHave: 'I have a PIN', register: 'Register', which: 'Number',
    atMeta: 'At Meta', readBefore: 'read before the registration; the next check updates it', notYet: 'pending until it is registered', quality: 'Quality', limit: 'Limit', sending: 'Sending', registration: 'Registration', name: 'Name', coexistence: 'Also on the WhatsApp Business app', syncContacts: 'Contacts', syncHistory: 'Chats', synced: (n: string) => `${n} received`,
    organization: 'Organization', wabaId: 'WhatsApp account (WABA)', businessId: 'Business at Meta', connectionId: 'Connection', tokenId: 'Access', onboardingId: 'Attempt', phoneNumberId: 'Number id',
    noNumbers: 'The account has no number. The customer can add one in WhatsApp Manager.', noActivities: 'Nothing has happened yet.', noActivitiesHere: 'Nothing of this kind on this page of the timeline.',
  },
  messages: {
    none: 'No message yet.', placeholder: 'Write a message', to: 'To (with country code)', send: 'Send', from: 'Send from', kind: (type: string) => messages[type] ?? `[${type}]`, sent: 'Message handed to Meta.', text: 'Message',
    toShape: 'Begin with + and the country code. Example: +55 11 91234-5678.', empty: 'Write the message.', unsure: 'We do not know whether the message left. Trying again does not send it twice.', again: 'Try again', refused: 'Meta refused this message. The reason is below.', window: 'Free texts arrive only within 24 h of the person’s last message.', reply: 'Reply', deleted: 'This message was deleted.', edited: 'edited',
  },
  groups: { access: 'Access', webhooks: 'Webhooks', numbers: 'Numbers', people: 'People' },
  actor: { service: 'routine', meta: 'Meta', customer: 'customer' },
  activity: {
    ONBOARDING_STARTED: 'Signup started', CODE_POSTED: 'The customer finished at Meta', CODE_EXCHANGED: 'Access received from Meta', CLAIM_STARTED: 'Connecting began', CLAIM_RESTARTED: 'Connecting taken up again',
    CLAIM_FAILED: 'Connecting was not completed', CHOICE_OFFERED: 'Several accounts shared: asked to choose', WABA_CHOSEN: 'Account chosen', WABA_HELD: 'Account reserved', CONNECTED: 'Account connected and confirmed',
    CHECKED: 'Checked with Meta', SUBSCRIPTION_PROVEN: 'Webhook subscription confirmed', SUBSCRIPTION_FAILED: 'Meta did not confirm the webhook subscription', NUMBER_FOUND: 'A new number of the account was found', NUMBER_REGISTRATION_STARTED: 'Registration of the number began',
    DISCONNECT_REQUESTED: 'Disconnection requested', UNSUBSCRIBE_FAILED: 'Meta did not end the webhook subscription', DISCONNECTED: 'Account disconnected',
    DESTINATION_CREATED: 'Destination added', DESTINATION_URL_CHANGED: 'Address of the destination changed', DESTINATION_SECRET_ROTATED: 'Secret of the destination rotated', DESTINATION_DELETED: 'Destination removed',
  },
  metaEvent: {
    PARTNER_ADDED: 'the customer shared the account', PARTNER_REMOVED: 'the customer took the account away', PARTNER_APP_INSTALLED: 'the customer installed the app', PARTNER_APP_UNINSTALLED: 'the customer removed the app', ACCOUNT_DELETED: 'the account was deleted',
    ACCOUNT_RESTRICTION: 'the account was restricted', ACCOUNT_VIOLATION: 'the account violated a policy', DISABLED_UPDATE: 'the account was or will be disabled', VERIFIED_ACCOUNT: 'the business was verified', ACCOUNT_OFFBOARDED: 'the app on the phone left', ACCOUNT_RECONNECTED: 'the app on the phone is back',
  } as Record<string, string>,
  activityOf: {
    sync: (part: string, state: string) => `${part}: ${state}`, destination: (state: string) => `Destination: ${state.toLowerCase()}`,
    state: (label: string) => `State: ${label}`, number: (label: string) => `Registration of the number: ${label.toLowerCase()}`, meta: (event: string) => `Word from Meta: ${event}`,
  },
  attempts: {
    lead: 'Every time that somebody opened the signup, also those that did not finish.', when: 'When', who: 'Organization', situation: 'State', reached: 'How far it went', finished: 'to the end', device: 'Device', none: 'No attempt yet', noneLead: 'When somebody opens Meta’s signup, the attempt shows up here, even if it is cancelled.',
    noneFilter: 'No attempt in this state.', title: 'Attempt', steps: 'Steps', noSteps: 'None yet: they begin when Meta hands us the code.', report: 'What the page told', noReport: 'The page told nothing: Meta’s window may not have opened.', session: 'Session at Meta', sessionHelp: 'Quote it to Meta’s support.', metaStep: 'Stopped at', metaError: 'Meta’s error',
    tries: (n: number) => s(n, 'try', 'tries'), toConnection: 'See the connection', choices: 'Accounts shared', expires: 'Good until', unknownDevice: 'unknown device', choose: 'Connect this one',
  },
  metaStep: {
    PHONE_NUMBER_SETUP: 'choosing the number', PHONE_NUMBER_VERIFICATION: 'verifying the number', BUSINESS_ACCOUNT_SELECTION: 'choosing the business', WABA_PHONE_PROFILE_PICKER: 'choosing account and number', PERMISSIONS: 'permissions',
  } as Record<string, string>,
  events: {
    lead: 'What Meta told us, and what we handed to your system.', changes: 'Received', destinations: 'Destinations', field: 'Type', connection: 'Connection', state: 'State', received: 'Received', delay: 'Delay', unowned: 'no connection',
    none: 'No event yet', noneLead: 'Everything that Meta sends shows up here, also what we can not read.', noneFilter: 'No event with these filters.', title: 'Event', raw: 'As Meta sent it', replay: 'Replay', replayed: (n: number) => `${s(n, 'event', 'events')} replayed.`,
    replayAll: (n: number) => `Replay ${n === 1 ? 'this event' : `these ${n}`}`, replayAllTitle: (n: number) => `Replay ${s(n, 'event', 'events')}?`, replayAllLead: 'Each is read anew and handed to the destinations again. What it did once it does not do twice.', replaying: (done: number, all: number) => `Replaying ${done} of ${all}…`, replayFailed: (n: number) => `${s(n, 'event', 'events')} could not be replayed.`,
    fieldHint: 'Type, such as messages', fieldRule: 'Letters, digits and underscores only.', deliveryId: 'Meta’s delivery', changeId: 'Event', event: 'Notice',
  },
  destinations: {
    lead: 'Addresses of your system that receive events as they come.', add: 'Add destination', none: 'No destination yet', noneLead: 'Add the address of your system to receive each event as it comes. Without one, read them through the API.', url: 'Address (https)', urlHelp: 'A public address of your system that answers 2xx.',
    urlShape: 'Use a complete address that begins with https://.', kind: 'Format', types: 'Event types', typesHelp: 'Separated by commas, such as change.messages or connection.*. Empty: all.', secret: 'Secret (optional)', secretHelp: 'Leave it empty and we make one.', everyone: 'Of all organizations',
    create: 'Add', pending: (n: number) => s(n, 'event waits', 'events wait'), lastSuccess: (age: string) => `Last delivery ${age}`, noSuccess: 'No delivery yet', allTypes: 'all events', test: 'Test', rotate: 'Rotate secret', enable: 'Switch on', disable: 'Switch off', remove: 'Remove',
    attempts: 'Deliveries', attemptsNone: 'Nothing has been sent yet.', ok: 'received', nextTry: (age: string) => `tried again ${age}`, tested: (status: string) => `Test received (${status}).`, testFailed: (why: string) => `The test was not received: ${why}.`, noAnswer: 'no answer',
    secretTitle: 'Keep the secret now', secretLead: 'It checks the signature of every event and is not shown again.', copySecret: 'Copy secret', secretKept: 'I kept it', rotateTitle: 'Rotate the secret?', rotateLead: 'For a day, signed events carry both signatures. In Meta’s own format the new one counts at once.', removeTitle: 'Remove this destination?', removeLead: 'What it has not received yet is lost.', attempt: (n: number) => `try ${n}`, changed: 'Destination updated.', removed: 'Destination removed.', refusal: 'Last refusal', lastFailure: 'Last failure', failure: (said: string) => said,
  },
  connect: {
    title: 'Connect WhatsApp', dialogLead: 'Meta’s window opens here. Sign in with the Facebook login of whoever manages the business.', organizationLabel: 'For which organization?', organizationHelp: 'The id of the customer in your system. They will see the accounts of this organization alone.', next: 'Continue', open: 'Open Meta’s signup', another: 'Connect another', done: 'Connected', see: 'See the connection', coexistence: 'The number stays on the WhatsApp Business app', whichAccount: 'Several accounts were shared. Which one should be connected?', unavailable: 'Meta’s signup could not be opened in this browser.',
    titleAgain: 'Reconnect WhatsApp', account: 'Account', how: 'How to connect', way: { here: 'Connect here', link: 'Send the customer a link' },
    sendLink: 'Send a link', sendReconnectLink: 'Send reconnection link', copyConnectLink: 'Copy connection link',
    linkLead: 'Whoever opens this link connects a WhatsApp account to this organization, and sees nothing else. Send it to the customer alone.', link: 'Connection link', copyLink: 'Copy link', linkCopied: 'Link copied.', linkNotCopied: 'The browser did not let us copy. Select the link and copy it.',
    byWhatsApp: 'WhatsApp', byMail: 'E-mail', byQr: 'QR code', qrLabel: 'QR code of the connection link', newLink: 'Make another link', goodUntil: (time: string, left: string) => `Good once, until ${time} (${left}).`,
    shareSubject: 'Connect your WhatsApp',
    shareText: (name: string, address: string, until: string) => `Hello! To ${name ? `reconnect the WhatsApp of ${name}` : 'connect the WhatsApp of your business'}, open this link and sign in with the Facebook login of whoever manages the business. It takes about 3 minutes, and the link is good until ${until}:\n${address}`,
    leftAt: (step: string) => `The customer closed Meta’s window at: ${step}. The link is still good.`,
    follow: {
      waiting: 'Waiting for the customer to open the link. If you close this window, follow it in Attempts.', opened: 'The customer opened Meta’s window.', left: 'The customer closed Meta’s window. The link is still good.', blocked: 'The customer’s browser blocked Meta’s window. The link is still good.',
      refused: 'Meta showed the customer an error. The link is still good; the error is in Attempts.', choosing: 'The customer is choosing between several accounts.', connecting: 'Connecting', connected: 'Connected.', failed: 'It was not completed', expired: 'This link is no longer valid.',
    },
  },
} satisfies Words
