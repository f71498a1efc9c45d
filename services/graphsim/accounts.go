package graphsim

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// SignUp lets a customer finish the signup, as POST /_sim/signups does. It panics on a SignUp that the control plane
// would refuse: that is a mistake in the test that calls it.
func (s *Simulator) SignUp(spec SignUp) SignedUp {
	return must(s.signUp(spec))
}

// must answers what the control plane would, and panics where that would refuse.
func must[T any](answer T, err error) T {
	if err != nil {
		panic("graphsim: " + err.Error())
	}
	return answer
}

func (s *Simulator) signUp(spec SignUp) (SignedUp, error) {
	spec = spec.withDefaults()
	if err := spec.validate(); err != nil {
		return SignedUp{}, err
	}
	done, err := s.share(spec)
	if err != nil {
		return SignedUp{}, err
	}
	s.announce(done.WABAIDs, spec.PartnerAdded)
	return done, nil
}

// share makes what the customer makes, and the code.
func (s *Simulator) share(spec SignUp) (SignedUp, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner, err := s.world.customer(spec)
	if err != nil {
		return SignedUp{}, err
	}
	if err := s.world.checkFree(append(slices.Clone(spec.WABAs), WABA{Phones: spec.AddedPhones})); err != nil {
		return SignedUp{}, err
	}
	s.world.Businesses[owner.ID] = owner
	done := SignedUp{
		Code: newCode(), BusinessID: owner.ID, WABAIDs: append([]string{}, spec.WABAIDs...), PhoneNumberIDs: []string{},
	}
	if len(spec.AddedPhones) > 0 {
		s.world.addPhones(s.world.WABAs[spec.WABAIDs[0]], spec.AddedPhones, numberDefaults(spec.Flow), s.now())
	}
	for _, w := range spec.WABAs {
		added := s.world.addWABA(owner, w, numberDefaults(spec.Flow), s.now())
		done.WABAIDs = append(done.WABAIDs, added.ID)
	}
	s.rejoin(done.WABAIDs)
	for _, id := range done.WABAIDs {
		done.PhoneNumberIDs = append(done.PhoneNumberIDs, s.world.WABAs[id].PhoneIDs...)
	}
	s.world.Codes[done.Code] = &code{
		BusinessID: owner.ID, WABAIDs: slices.Clone(done.WABAIDs), Token: spec.Token, Granular: spec.Granular,
		RedirectURI: spec.RedirectURI, IssueTime: s.now(),
	}
	s.persist()
	return done, nil
}

// AddPhone has the customer of a WABA add a number to it, as POST /_sim/wabas/{wabaId}:addPhone does. It panics on a Phone
// that the control plane would refuse.
func (s *Simulator) AddPhone(wabaID string, spec Phone) (phoneNumberID string) {
	return must(s.addPhone(wabaID, spec))
}

func (s *Simulator) addPhone(wabaID string, spec Phone) (string, error) {
	added := WABA{Phones: List[Phone]{spec}}
	if err := added.validate(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	account := s.world.WABAs[wabaID]
	if account == nil {
		return "", errNoWABA
	}
	if err := s.world.checkFree([]WABA{added}); err != nil {
		return "", err
	}
	s.world.addPhones(account, added.Phones, numberDefaults(FlowCloudAPI), s.now())
	s.persist()
	return account.PhoneIDs[len(account.PhoneIDs)-1], nil
}

// seedOwn adds what the configuration says of the operator's own business. Accounts that the state file brought back
// keep their numbers, PINs and subscriptions.
func (s *Simulator) seedOwn() error {
	if s.cfg.OwnAccessToken == "" {
		return nil
	}
	owner := s.world.Businesses[s.cfg.OwnBusinessID]
	if owner == nil {
		owner = &business{ID: s.cfg.OwnBusinessID, Name: "Own Business", UserID: newUserID()}
	}
	ids := []string{}
	for _, own := range s.cfg.OwnWABAs {
		w := WABA{ID: own.ID, Name: own.Name, Phones: own.Phones}
		ids = append(ids, own.ID)
		if s.world.WABAs[own.ID] != nil {
			continue
		}
		if err := errors.Join(w.validate(), s.world.checkFree([]WABA{w})); err != nil {
			return err
		}
		s.world.addWABA(owner, w, registeredNumber(), s.now())
	}
	s.world.Businesses[owner.ID] = owner
	s.world.Tokens[s.cfg.OwnAccessToken] = &token{
		Kind: KindSystemUser, BusinessID: owner.ID, UserID: owner.UserID, WABAIDs: ids, Granular: GranularTargets,
		IssueTime: s.now(),
	}
	return nil
}

// customer is the business that signs up: the one that is named, the owner of all the given WABAs, or a new one. A new
// one is not stored yet.
func (w *world) customer(spec SignUp) (*business, error) {
	owner := spec.BusinessID
	if owner != "" && w.Businesses[owner] == nil {
		return nil, fmt.Errorf("businessId: no business %q", owner)
	}
	for _, id := range spec.WABAIDs {
		account := w.WABAs[id]
		if account == nil {
			return nil, fmt.Errorf("wabaIds: no WABA %q", id)
		}
		if owner != "" && owner != account.BusinessID {
			return nil, errors.New("wabaIds: all must belong to one business, since one customer signs up")
		}
		owner = account.BusinessID
	}
	if owner != "" {
		return w.Businesses[owner], nil
	}
	id := newBusinessID()
	name := cmp.Or(spec.BusinessName, "Simulated Business "+id[len(id)-4:])
	return &business{ID: id, Name: name, UserID: newUserID()}, nil
}

// checkFree refuses ids that exist or that the list itself names twice.
func (w *world) checkFree(accounts []WABA) error {
	seen := map[string]bool{}
	check := func(id string) error {
		if id == "" {
			return nil
		}
		if seen[id] || w.WABAs[id] != nil || w.Phones[id] != nil || w.Businesses[id] != nil {
			return fmt.Errorf("id %q is taken", id)
		}
		seen[id] = true
		return nil
	}
	var faults []error
	for _, account := range accounts {
		faults = append(faults, check(account.ID))
		for _, p := range account.Phones {
			faults = append(faults, check(p.ID))
		}
	}
	return errors.Join(faults...)
}

func (w *world) addWABA(owner *business, spec WABA, number Phone, now time.Time) *waba {
	phones := spec.Phones
	spec.Phones = nil
	spec.ID = cmp.Or(spec.ID, newWABAID())
	spec.Name = cmp.Or(spec.Name, "Simulated Shop "+spec.ID[max(0, len(spec.ID)-4):])
	spec.Currency = cmp.Or(spec.Currency, "BRL")
	spec.TimezoneID = cmp.Or(spec.TimezoneID, "25")
	spec.Country = cmp.Or(spec.Country, "BR")
	spec.AccountReviewStatus = cmp.Or(spec.AccountReviewStatus, "APPROVED")
	spec.BusinessVerificationStatus = cmp.Or(spec.BusinessVerificationStatus, "verified")
	added := &waba{WABA: spec, BusinessID: owner.ID, CreateTime: now}
	w.WABAs[added.ID] = added
	w.addPhones(added, phones, number, now)
	return added
}

func (w *world) addPhones(account *waba, phones []Phone, number Phone, now time.Time) {
	for _, p := range phones {
		filled := p.or(number)
		filled.VerifiedName = cmp.Or(filled.VerifiedName, account.Name)
		w.Phones[filled.ID] = &phone{Phone: filled, WABAID: account.ID, OnboardTime: now}
		account.PhoneIDs = append(account.PhoneIDs, filled.ID)
	}
}

// or fills what p leaves open from the defaults of its flow.
func (p Phone) or(d Phone) Phone {
	p.ID = cmp.Or(p.ID, newPhoneID())
	p.DisplayPhoneNumber = cmp.Or(p.DisplayPhoneNumber, newDisplayNumber())
	p.CodeVerificationStatus = cmp.Or(p.CodeVerificationStatus, "VERIFIED")
	p.PlatformType = cmp.Or(p.PlatformType, d.PlatformType)
	p.NameStatus = cmp.Or(p.NameStatus, "APPROVED")
	p.Status = cmp.Or(p.Status, d.Status)
	p.QualityRating = cmp.Or(p.QualityRating, "GREEN")
	p.ThroughputLevel = cmp.Or(p.ThroughputLevel, d.ThroughputLevel)
	p.MessagingLimit = cmp.Or(p.MessagingLimit, "TIER_250")
	p.CanSendMessage = cmp.Or(p.CanSendMessage, "AVAILABLE")
	p.IsOnBizApp = p.IsOnBizApp || d.IsOnBizApp
	return p
}

func registeredNumber() Phone {
	return Phone{PlatformType: "CLOUD_API", Status: "CONNECTED", ThroughputLevel: "STANDARD"}
}

// numberDefaults is how a number leaves each flow: of the Cloud API's, Meta says NOT_APPLICABLE and PENDING until it
// is registered; one on the Business app is registered by the signup itself.
func numberDefaults(flow string) Phone {
	if flow == FlowCoexistence {
		number := registeredNumber()
		number.IsOnBizApp = true
		return number
	}
	return Phone{PlatformType: "NOT_APPLICABLE", Status: "PENDING", ThroughputLevel: "NOT_APPLICABLE"}
}

// newDisplayNumber makes a Brazilian mobile number in the form in which Graph shows it.
func newDisplayNumber() string {
	digits := newID("", 8)
	return "+55 11 9" + digits[:4] + "-" + digits[4:]
}
