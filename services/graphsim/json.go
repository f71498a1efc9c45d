package graphsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxListLength bounds what a number in place of a list may ask for.
const maxListLength = 10_000

// decodeStrict decodes one JSON value and refuses unknown fields and anything after it.
func decodeStrict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("unexpected data after the JSON value")
	}
	return nil
}

// List is a list that JSON may also write as a number: 3 is a list of three items that are all default. nil means
// that nothing was said, which is not the same as an empty list.
type List[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *List[T]) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	var n int
	if err := json.Unmarshal(data, &n); err == nil {
		if n < 0 || n > maxListLength {
			return fmt.Errorf("%d: want 0 to %d", n, maxListLength)
		}
		*l = make(List[T], n)
		return nil
	}
	if data[0] != '[' {
		return errors.New("want a number or a list of objects")
	}
	items := []T{}
	// The outer decoder's strictness does not reach into UnmarshalJSON, so it is repeated here.
	if err := decodeStrict(data, &items); err != nil {
		return err
	}
	*l = items
	return nil
}
