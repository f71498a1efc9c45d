// Package page cuts the answer of a list into pages. A page token says after which row the next page begins; it is sealed
// with the list, the organization and the filter that it was made for, and is good for no other.
package page

import (
	"strings"

	"github.com/google/uuid"

	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/keyring"
)

// List is one list, as one caller sees it.
type List struct {
	Keys   *keyring.Keyring
	Name   string
	Scope  string // an organization; empty is all
	Filter []string
}

// Request is what a list is asked with.
type Request interface {
	GetPageToken() string
	GetPageSize() int32
}

// defaultSize is the size of a page when the caller does not say.
const defaultSize = 50

// Of reads one page: read is asked for the rows after one, uuid.Nil for the first page, and for one more than fits.
func Of[T any](l List, req Request, id func(T) uuid.UUID, read func(after uuid.UUID, limit int) ([]T, error)) (rows []T, next string, err error) {
	return Fitting(l, req, id, read, func(_ []T, size int) int { return size })
}

// Fitting is Of for rows that may be too long together: of those that were read fit says how many a page of a size holds,
// one at least.
func Fitting[T any](l List, req Request, id func(T) uuid.UUID, read func(after uuid.UUID, limit int) ([]T, error),
	fit func(rows []T, size int) int,
) (rows []T, next string, err error) {
	after, err := l.open(req.GetPageToken())
	if err != nil {
		return nil, "", err
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultSize
	}
	if rows, err = read(after, size+1); err != nil {
		return nil, "", err
	}
	if size = fit(rows, size); len(rows) <= size {
		return rows, "", nil
	}
	last := id(rows[size-1])
	next, err = l.Keys.SealToken(l.purpose(), l.Scope, last[:])
	return rows[:size], next, err
}

func (l List) purpose() string { return "page:" + l.Name + ":" + strings.Join(l.Filter, ",") }

// open reads a page token: 16 bytes of the last row's id.
func (l List) open(token string) (after uuid.UUID, err error) {
	if token == "" {
		return uuid.Nil, nil
	}
	payload, err := l.Keys.OpenToken(l.purpose(), l.Scope, token)
	if err != nil || len(payload) != len(after) {
		return uuid.Nil, fault.Field("pageToken", "is not a page token of this list, organization and filter")
	}
	return uuid.UUID(payload), nil
}
