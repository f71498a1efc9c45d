package fault

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
)

var update = flag.Bool("update", false, "write docs/errors.md anew")

const (
	document = "../../../docs/errors.md"
	contract = "../../../proto/whatrack/errors/v1/errors.proto"
)

// reasons are all values of the enum but the zero value, in the order of the contract.
func reasons() []Reason {
	var list []Reason
	values := errorsv1.ErrorReason(0).Descriptor().Values()
	for i := range values.Len() {
		if number := values.Get(i).Number(); number != 0 {
			list = append(list, Reason(number))
		}
	}
	return list
}

const head = `# Errors

<!-- Generated from the catalogue: go test ./services/internal/fault -run Document -update -->

Every error of both services is a google.rpc.Status with exactly one *reason*, a name that never changes its meaning. REST answers it as JSON:

` + "```json\n%s\n```" + `

- *reason* in the ErrorInfo is what programs branch on; *metadata* holds the variables: the onboarding, a token's state, Meta's code, subcode and fbtrace_id.
- *message* is English, for logs. LocalizedMessage is for people: Portuguese or English, by the header Accept-Language.
- BadRequest names the field that breaks a rule, and the rule: its *reason* for programs, LocalizedMessage for people. RetryInfo says when to come again; over REST the header Retry-After says it too.
- Over gRPC the same details are in the status. Over REST, a path or method that does not exist is UNIMPLEMENTED with HTTP 404 or 405.
- Onboardings, steps, connections and phone numbers carry the same names in their field *reason*, in answers that are no errors.
- X-Request-Id of the answer is what to quote when you ask for help.

Em português: todo erro dos dois serviços tem exatamente um *motivo* (reason), um nome que nunca muda de sentido. É por ele que um programa decide; *metadata* traz as variáveis. *message* é em inglês, para logs; LocalizedMessage é para pessoas, em português ou inglês conforme o cabeçalho Accept-Language. BadRequest indica o campo inválido e a regra, com um motivo próprio e o texto para pessoas; RetryInfo (em REST também Retry-After) diz quando tentar de novo. Os mesmos nomes aparecem no campo *reason* de cadastros, passos, conexões e números. Ao pedir ajuda, informe o X-Request-Id da resposta.
`

// TestErrorsDocumentIsTheCatalogue writes the document from the catalogue and compares. Not parallel: it may write what
// other tests read.
func TestErrorsDocumentIsTheCatalogue(t *testing.T) {
	var text strings.Builder
	fmt.Fprintf(&text, head, example(t))
	comments := comments(t)
	for _, reason := range reasons() {
		entry := catalogue()[reason]
		fmt.Fprintf(&text, "\n<a id=\"%[1]s\"></a>\n\n## %[1]s\n\n%[2]s · HTTP %[3]d\n\n%[4]s\n\n", reason,
			grpcName(entry.code), httpStatus(reason, entry.code), comments[reason.String()])
		fmt.Fprintf(&text, "- **What happened:** %s.\n- **What to do:** %s.\n", entry.en.Happened, entry.en.Do)
		fmt.Fprintf(&text, "- **O que houve:** %s.\n- **O que fazer:** %s.\n", entry.pt.Happened, entry.pt.Do)
	}
	if *update {
		if err := os.WriteFile(document, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text.String(), string(got)); diff != "" {
		t.Errorf("docs/errors.md is not the catalogue (go test ./services/internal/fault -run Document -update):\n%s", diff)
	}
}

// TestEveryReasonStandsOnceInTheDocument reads what a person reads, whatever wrote it.
func TestEveryReasonStandsOnceInTheDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile(`(?m)^<a id="(\w+)"></a>\n\n## (\w+)\n\n(\w+) · HTTP (\d+)$`)
	var got, want []string
	for _, found := range section.FindAllStringSubmatch(string(text), -1) {
		got = append(got, strings.Join(found[1:], " "))
	}
	for _, reason := range reasons() {
		code := New(reason).Code()
		want = append(want, fmt.Sprintf("%[1]s %[1]s %[2]s %[3]d", reason, grpcName(code), httpStatus(reason, code)))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// example is an error as REST answers it.
func example(t *testing.T) string {
	t.Helper()
	status := New(errorsv1.ErrorReason_CODE_ALREADY_USED).With("onboardingId", "01a20ebb-563c-7bed-858e-b7581d281533").Status(Portuguese)
	raw, err := protojson.Marshal(status.Proto())
	if err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	return indented.String()
}

// comments are those of the contract, by reason: Go's generated code has them as comments only.
func comments(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(contract)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	value := regexp.MustCompile(`(?m)((?:^ *// .*\n)+)^ *([A-Z_]+) = [1-9]\d*;$`)
	for _, match := range value.FindAllStringSubmatch(string(text), -1) {
		var lines []string
		for line := range strings.Lines(match[1]) {
			lines = append(lines, strings.TrimPrefix(strings.TrimSpace(line), "// "))
		}
		found[match[2]] = strings.Join(lines, " ")
	}
	for _, reason := range reasons() {
		if found[reason.String()] == "" {
			t.Errorf("%s has no comment in the contract", reason)
		}
	}
	return found
}

// grpcName is a code as the specification of gRPC writes it.
func grpcName(code codes.Code) string {
	if code == codes.Canceled {
		return "CANCELLED"
	}
	return strings.ToUpper(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(code.String(), "${1}_${2}"))
}

// httpStatus is the gateway's: two refusals of bodies have a status of their own.
func httpStatus(reason Reason, code codes.Code) int {
	own := map[Reason]int{errorsv1.ErrorReason_UNSUPPORTED_MEDIA_TYPE: 415, errorsv1.ErrorReason_BODY_TOO_LARGE: 413}
	if status, ok := own[reason]; ok {
		return status
	}
	return runtime.HTTPStatusFromCode(code)
}
