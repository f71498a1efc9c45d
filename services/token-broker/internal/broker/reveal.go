package broker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/token-broker/internal/store"
)

// expiryGrace: clocks differ, and the word of Meta counts before ours. Past its expiry by this much, a token is refused
// without asking.
const expiryGrace = 15 * time.Minute

// OwnBusiness is the operator's own system-user token, and the fence around it: it serves one organization and the
// listed WABAs, nothing else.
type OwnBusiness struct {
	Token        secret.Text
	Organization string
	WABAs        []string
}

// serves is never true of an empty WABA, which is what a caller who asks by token id has.
func (o OwnBusiness) serves(organization, waba string) bool {
	return !o.Token.IsEmpty() && organization == o.Organization && waba != "" && slices.Contains(o.WABAs, waba)
}

// access is an opened token that Meta has confirmed, as the cache holds it.
type access struct {
	id          string // what the reveal is counted under
	tokenID     string
	expire      *time.Time
	token       secret.Text
	proof       string
	ownBusiness bool
}

// GetAccessToken implements TokenBrokerService. The reveal is on record before the token leaves. Where that takes longer
// than a token may be served unseen, we look again: it may have been revoked meanwhile.
func (b *Broker) GetAccessToken(ctx context.Context, req *tokenbrokerv1.GetAccessTokenRequest) (*tokenbrokerv1.GetAccessTokenResponse, error) {
	wanted := key{organization: req.GetOrganizationId(), waba: req.GetWabaId(), token: req.GetTokenId()}
	noted := ""
	for {
		entry, err := b.cache.get(ctx, wanted)
		if err != nil {
			return nil, err
		}
		found := &entry.access
		if err := b.checkExpiry(found, req.GetMinValidity().AsDuration()); err != nil {
			return nil, err
		}
		if noted != found.id {
			if err := b.reveals.note(ctx, identity.Name(ctx), found.id); err != nil {
				return nil, err
			}
			noted = found.id
		}
		if b.cache.fresh(entry) {
			return found.response(), nil
		}
	}
}

func (a *access) response() *tokenbrokerv1.GetAccessTokenResponse {
	resp := &tokenbrokerv1.GetAccessTokenResponse{
		AccessToken: a.token.Reveal(), AppsecretProof: a.proof, TokenId: a.tokenID, OwnBusiness: a.ownBusiness,
	}
	if a.expire != nil {
		resp.ExpireTime = timestamppb.New(*a.expire)
	}
	return resp
}

// checkExpiry: with min_validity the caller asks for a life that is left, to the second; without, an expiry by our clock
// alone is doubted for a while.
func (b *Broker) checkExpiry(found *access, minValidity time.Duration) error {
	if found.expire == nil {
		return nil
	}
	left := found.expire.Sub(b.Now())
	if left < -expiryGrace || (minValidity > 0 && left < minValidity) {
		return fault.New(errorsv1.ErrorReason_TOKEN_EXPIRED).With("expireTime", found.expire.UTC().Format(time.RFC3339))
	}
	return nil
}

// load reads and opens the token of a key.
func (b *Broker) load(ctx context.Context, wanted key) (access, error) {
	token, err := b.find(ctx, wanted)
	if errors.Is(err, store.ErrNotFound) {
		if b.Own.serves(wanted.organization, wanted.waba) {
			return b.ownAccess(wanted.waba), nil
		}
		return access{}, tokenNotFound()
	}
	if err != nil {
		return access{}, err
	}
	if err := refuseState(token.State); err != nil {
		return access{}, err
	}
	opened, err := b.open(token)
	if err != nil {
		return access{}, err
	}
	id := token.ID.String()
	return access{id: id, tokenID: id, expire: token.ExpireTime, token: opened, proof: b.Meta.Proof(opened)}, nil
}

// refuseState refuses what must not be served.
func refuseState(state store.State) error {
	switch state {
	case store.Active:
		return nil
	case store.Unverified:
		return fault.New(errorsv1.ErrorReason_TOKEN_UNVERIFIED).RetryAfter(time.Second)
	case store.Expired, store.Invalid, store.Revoked, store.Superseded:
		return tokenEnded(state)
	}
	return errors.New("broker: a token in no known state")
}

func (b *Broker) find(ctx context.Context, wanted key) (store.Token, error) {
	if wanted.token == "" {
		return b.Store.FindTokenOfWABA(ctx, wanted.organization, wanted.waba)
	}
	id, err := uuid.Parse(wanted.token)
	if err != nil {
		return store.Token{}, store.ErrNotFound
	}
	return b.Store.FindToken(ctx, wanted.organization, id)
}

func (b *Broker) ownAccess(waba string) access {
	return access{id: "own-business/" + waba, token: b.Own.Token, proof: b.Meta.Proof(b.Own.Token), ownBusiness: true}
}

func tokenNotFound() error { return fault.New(errorsv1.ErrorReason_TOKEN_NOT_FOUND) }

// tokenEnded is the fault of a token that does not serve, by its state.
func tokenEnded(state store.State) error {
	if state == store.Expired {
		return fault.New(errorsv1.ErrorReason_TOKEN_EXPIRED)
	}
	return fault.New(errorsv1.ErrorReason_TOKEN_INVALID).With("state", string(state))
}
