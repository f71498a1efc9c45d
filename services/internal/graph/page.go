package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
)

const (
	// maxPages is far more than any WABA has, 100 numbers to a page. A list that never ends is read again with each attempt.
	maxPages  = 20
	maxCursor = 4 << 10
)

type page struct {
	Data   *[]json.RawMessage `json:"data"`
	Paging paging             `json:"paging"`
}

type paging struct {
	After string
	Next  bool
}

// UnmarshalJSON takes for no paging what is no object, as [] for an empty one. One that can not be read is an error:
// half a list would pass for the whole.
func (p *paging) UnmarshalJSON(raw []byte) error {
	if !isObject(raw) {
		return nil
	}
	var got struct {
		Cursors json.RawMessage `json:"cursors"`
		Next    string          `json:"next"`
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		return fmt.Errorf("paging: %w", err)
	}
	var cursors struct {
		After string `json:"after"`
	}
	if isObject(got.Cursors) {
		if err := json.Unmarshal(got.Cursors, &cursors); err != nil {
			return fmt.Errorf("cursors: %w", err)
		}
	}
	p.After, p.Next = cursors.After, got.Next != ""
	return nil
}

// pages reads every item of an edge. There is a further page while paging.next is there, since the last page has a
// cursor too. next itself is never followed: it is a URL with the token in it, to wherever the answer says.
// Source: developers.facebook.com, Graph API > Paginated results.
func (c *Client) pages(ctx context.Context, k call, read func(json.RawMessage) error) error {
	seen := map[string]bool{}
	for range maxPages {
		var got page
		if err := c.fetch(ctx, k, &got); err != nil {
			return err
		}
		if got.Data == nil { // not an empty list: that is []
			return c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx without data")
		}
		for _, item := range *got.Data {
			if err := read(item); err != nil {
				return c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx with an item of another shape: "+err.Error())
			}
		}
		if !got.Paging.Next {
			return nil
		}
		after := got.Paging.After
		if after == "" || len(after) > maxCursor || seen[after] {
			return c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx with a further page and no new cursor")
		}
		seen[after] = true
		query := url.Values{}
		maps.Copy(query, k.query)
		query.Set("after", after)
		k.query = query
	}
	return c.silence(ctx, ErrNoVerdict, k, "more pages than any account has")
}
