package main

import "fmt"

// greet says where everything is and what to try next. The token is shown here and nowhere else.
func (s *Settings) greet(k *stack) {
	_, _ = fmt.Fprintf(s.Stdout, `
whatrack-connect runs, with Meta simulated. Ctrl-C stops it.

  open this          http://%[1]s/#token=%[7]s

  REST               http://%[1]s/api/v1/whatsapp   (http://%[1]s/openapi.json)
  gRPC               %[2]s waba-onboarding, %[3]s token-broker
  probes             http://%[4]s/readyz, http://%[5]s/readyz
  simulated Meta     http://%[6]s   (a customer's phone: http://%[6]s/_sim/phone)
  bearer token       %[7]s   (kept in %[8]s)

Next: let a customer finish a signup, and claim what they shared.

  TOKEN=$(cat %[8]s)
  CODE=$(curl -s http://%[6]s/_sim/signups -d '{}' | sed 's/.*"code": *"\([^"]*\)".*/\1/')
  curl -s http://%[1]s/api/v1/whatsapp/claim-waba -H "Authorization: Bearer $TOKEN" \
    -H 'X-Organization-Id: org-1' -H 'Content-Type: application/json' -d "{\"code\": \"$CODE\"}"

`, k.onboarding.HTTP.Addr(), k.onboarding.RPC.Addr(), k.broker.RPC.Addr(), k.admin.Addr(), k.brokerAdmin.Addr(),
		k.meta.Addr(), k.operator.Reveal(), s.file("operator-token"))
}
