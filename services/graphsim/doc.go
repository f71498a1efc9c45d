// Package graphsim simulates what a WhatsApp Tech Provider depends on of Meta, the Graph API and Embedded Signup, as
// strictly as Meta does and with failures that can be scripted. [Simulator] is an http.Handler for tests; the program in
// cmd/graphsim serves the same handler for local runs.
//
// It promises to refuse what Meta refuses, with Meta's status, code, subcode and type: a code is spent once and lives
// 30 seconds, a token reads only the accounts it was granted, a PIN must match. Where the public sources leave a
// choice open, it takes the stricter one and the comment at that place says so. It refuses to guess: a field, an edge
// or a control call that it does not know is an error, never silence. A webhook that Meta would not send is in the log
// of deliveries with the reason.
//
// It is no place for real secrets: whoever reaches the control plane can mint codes and end tokens, and the state
// file holds tokens in the clear (mode 0600). The program therefore listens on loopback only, unless told otherwise.
//
// # Graph surface
//
// Paths start with a version, any v<major>.<minor>:
//
//	GET|POST        /oauth/access_token       authorization code, fb_exchange_token, client_credentials
//	GET|POST        /oauth/revoke
//	GET             /debug_token
//	GET             /me, /{business}, /{waba}, /{phone}
//	GET             /{waba}/phone_numbers     fields, limit, after, before
//	GET|POST|DELETE /{waba}/subscribed_apps   override_callback_uri with verify_token; without, POST ends an override
//	GET|POST|DELETE /{app}/subscriptions      the app's callback, verify token and fields; POST replaces them
//	POST            /{phone}/register
//	POST            /{phone}/messages         text, template, status=read; statuses follow as webhooks
//	POST            /{phone}/smb_app_data     coexistence only, each kind once for an onboarding (2593107) and within 24
//	                                          hours of it (2593108); contacts or history follow as webhooks
//
// # In a browser
//
//	GET      /{locale}/sdk.js, /sdk.js        FB.init, FB.login and window.fbAsyncInit
//	GET|POST /{version}/dialog/oauth          Embedded Signup v4, also without a version
//	GET      /                                an index
//	GET      /_sim/phone                      a customer's phone: writes to a number and shows what was answered
//	GET      /_sim/reference                  this text
//
// FB.login opens the dialog as a popup. Its callback gets {authResponse: {code}, status: "connected"}, or
// {authResponse: null, status: "unknown"} of somebody who cancelled or closed the window; of a blocked popup it never
// hears. The popup itself posts the session info to its opener, a JSON string from the simulator's origin. The code
// travels as another message, cb=…&code=…, to the very origin of the page. Closing the window tells nothing, but for the
// last screen, where it counts as finishing.
//
// With redirect_uri and state the dialog is a full page. It ends at redirect_uri with code and state, or with
// error=access_denied, and has no session info. The exchange must repeat that redirect_uri.
//
// Both are for the app's one configuration (Config.ConfigID) and for Config.RedirectURIs. Wrong use meets an error page,
// or the error of Meta's SDK in the console.
//
// A browser test finds the screen in <body data-step>: login, business, waba, profile, number, verify or scan,
// permissions, then done, cancelled, failed or refused. Fields go by their name, buttons by name="do" with the value
// next, back, cancel, report or again. The code of the simulated SMS is in data-sent of the field code; the button of
// the last screen is [data-do=finish]. Screens are in Portuguese or English, by locale, else Accept-Language.
//
// # Webhooks
//
// They go to the app's callback (Config, POST /{app}/subscriptions or POST /_sim/webhook-settings), or to the WABA's
// override for the fields that have one, if the app is subscribed to the field and to the WABA; PARTNER_* events need
// no subscription of the WABA and carry Config.OwnBusinessID as entry.id. Bodies are ASCII, as Meta's are, and
// X-Hub-Signature-256 signs their bytes.
//
// Whatever is not answered 200 within ten seconds is tried again: after 1 s, 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 3 h,
// 6 h, then every 12 h, until seven days are over. Both clocks count for these pauses and for every other delay here:
// the simulated one (POST /_sim/clock), and the real one for a simulator whose clock stands still.
//
// # Control plane
//
// JSON over HTTP. Unknown fields are refused with 400, unknown ids with 404; the body of a refusal is
// {"error": "what is wrong"}.
//
//	POST   /_sim/signups                      SignUp; answers SignedUp. "partnerAdded": before, after (default) or never
//	POST   /_sim/dialog                       Dialog: in which order the popup tells code and session info, or an error that it
//	                                          meets; GET shows it
//	POST   /_sim/tokens/{wabaId}:invalidate   {"subcode": 458}: the tokens that the WABA has now are dead from now on;
//	                                          answers {"invalidated": n}
//	POST   /_sim/wabas/{wabaId}:unsubscribe   Meta drops our subscription behind our back
//	POST   /_sim/wabas/{wabaId}:addPhone      Phone: the customer adds a number in WhatsApp Manager, of which nobody tells the
//	                                          app; answers {"phoneNumberId": id}
//	POST   /_sim/wabas/{wabaId}:remove        Removal: the customer ends the partnership. Tokens lose the WABA, one that
//	                                          reads no other is dead (458), and PARTNER_REMOVED is sent; answers Delivered
//	POST   /_sim/phones/{id}:approveName      Sending: phone_number_name_update APPROVED is sent, and the number can be
//	                                          registered; answers Delivered
//	POST   /_sim/messages                     MessageSpec, or {"messages": [MessageSpec…]} with a Sending beside it;
//	                                          answers Delivered
//	GET    /_sim/messages                     what was said between customers and numbers, oldest first: a list of Said;
//	                                          filters ?phoneNumberId= and ?customer=. In memory, the last 2000
//	GET    /_sim/numbers                      all phone numbers: a list of Number
//	POST   /_sim/webhooks                     Webhook: this very body, signed; answers Delivered
//	GET    /_sim/deliveries                   the log of webhooks, oldest first: a list of Delivery; filters ?field=,
//	                                          ?wabaId= and ?state=
//	GET    /_sim/webhook-settings             WebhookSettings: the app's callback, verify token and fields
//	POST   /_sim/webhook-settings             sets them, asking the callback only with "verify": true
//	POST   /_sim/behavior                     Behavior: what becomes of sent messages, what a sync brings; for a number or
//	                                          for all
//	POST   /_sim/faults                       Fault; answers {"id": "fault-1"}
//	GET    /_sim/faults                       all faults with what is left of them
//	DELETE /_sim/faults/{id}                  ends it and lets go what it holds
//	POST   /_sim/faults/{id}:release          lets go what it holds, now and from now on
//	POST   /_sim/clock                        {"advance": "31s"}: time passes for codes, tokens and unsent webhooks
//	GET    /_sim/requests                     the journal, oldest first: a list of Request; filters ?method=, ?path=
//	                                          (a pattern) and ?state=
//	POST   /_sim/reset                        as new: forgets everything but its configuration
package graphsim
