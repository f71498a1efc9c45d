package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
)

// jsonBody is a whole body on its way to the decoder, which knows the message, and so which field is wrong.
type jsonBody struct {
	*bytes.Reader
	exchange *exchange
}

// Close implements io.Closer.
func (b *jsonBody) Close() error { return nil }

// readBody takes in the body of a request that may have one, and refuses what is not plain JSON in UTF-8 (RFC 8259, 8.1
// and 11) before anything looks into it. It answers the HTTP status along with the fault.
func readBody(w http.ResponseWriter, r *http.Request) (*bytes.Reader, int, *fault.Error) {
	if !mayHaveBody(r) {
		return bytes.NewReader(nil), 0, nil
	}
	if !isJSON(r) {
		return nil, http.StatusUnsupportedMediaType, fault.New(errorsv1.ErrorReason_UNSUPPORTED_MEDIA_TYPE).With("header", "Content-Type")
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, http.StatusUnsupportedMediaType, fault.New(errorsv1.ErrorReason_UNSUPPORTED_MEDIA_TYPE).With("header", "Content-Encoding")
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge, fault.New(errorsv1.ErrorReason_BODY_TOO_LARGE)
	case err != nil:
		return nil, http.StatusBadRequest, fault.Field("body", "did not arrive whole")
	case !utf8.Valid(data):
		return nil, http.StatusBadRequest, fault.Field("body", "must be UTF-8")
	case bytes.HasPrefix(data, []byte("\uFEFF")):
		return nil, http.StatusBadRequest, fault.Field("body", "must not begin with a byte order mark")
	}
	return bytes.NewReader(data), 0, nil
}

func mayHaveBody(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead
}

// isJSON wants application/json by name from whoever sends a body: a browser sends any other type across origins without
// asking (the "simple requests" of CORS).
func isJSON(r *http.Request) bool {
	header := r.Header.Get("Content-Type")
	if header == "" {
		return r.ContentLength == 0
	}
	mediaType, params, err := mime.ParseMediaType(header)
	if err != nil || mediaType != "application/json" {
		return false
	}
	charset := params["charset"]
	return charset == "" || strings.EqualFold(charset, "utf-8")
}

// strictJSON is protojson that names the field which it refuses. The gateway's own decoders read one value and leave the
// rest unread, and their errors are prose.
type strictJSON struct{ *runtime.JSONPb }

// NewDecoder implements runtime.Marshaler.
func (strictJSON) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		body, ok := r.(*jsonBody)
		msg, isMessage := v.(proto.Message)
		if !ok || !isMessage {
			return errors.New("not a body of the gateway")
		}
		data, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(data)) == 0 {
			return io.EOF // no body is an empty request
		}
		if f := decode(data, msg); f != nil {
			body.exchange.body = f
			return f
		}
		return nil
	})
}

// decode fills msg, or says what is wrong. protojson is the judge; that the JSON is whole and not too deep (10,000, the
// bound of encoding/json) is checked first, since its own errors quote the input.
func decode(data []byte, msg proto.Message) *fault.Error {
	if !json.Valid(data) {
		return fault.Field("body", "must be one JSON object and nothing else")
	}
	if err := protojson.Unmarshal(data, msg); err == nil {
		return nil
	}
	return blame(data, msg.ProtoReflect().New(), "")
}
