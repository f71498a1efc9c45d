package egress

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Answer is what is told of an answer.
type Answer struct {
	Status int
	// RetryAfter is for how long a receiver that is busy (429, 503) wants to be left alone, at most MaxRetryAfter.
	RetryAfter time.Duration
}

// MaxRetryAfter is the longest that a receiver is left alone at its word: what it names beyond that is taken for this.
const MaxRetryAfter = time.Hour

func answerOf(resp *http.Response, now time.Time) Answer {
	answer := Answer{Status: resp.StatusCode}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
		answer.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), now)
	}
	return answer
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3); whatever else it is, is nothing.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseUint(value, 10, 64)
		if err != nil || seconds > uint64(MaxRetryAfter/time.Second) {
			return MaxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), MaxRetryAfter)
}
