package graphsim

import (
	"slices"
	"time"
)

// Meta's limit on registrations of one number.
const (
	registerLimit  = 10
	registerWindow = 72 * time.Hour
)

// register serves POST /{phone}/register. Every attempt with well-formed parameters counts against the limit, refused
// ones too: that is the reading under which a client that retries in a loop locks its customer out.
// Source: developers.facebook.com, WhatsApp > Support > Error codes (133000 to 133016).
func (c *call) register(number *phone) (any, *Error) {
	if err := c.checkRegisterParams(); err != nil {
		return nil, err
	}
	if number.IsOnBizApp {
		return nil, paramError("Register endpoint is not available for SMB businesses that use the WhatsApp Business app")
	}
	err := c.countRegister(number)
	if err == nil {
		err = c.checkRegister(number)
	}
	if err == nil {
		number.PIN = c.params.get("pin")
		number.PlatformType, number.Status, number.ThroughputLevel = "CLOUD_API", "CONNECTED", "STANDARD"
	}
	c.sim.persist()
	if err != nil {
		return nil, err
	}
	return map[string]bool{"success": true}, nil
}

func (c *call) checkRegisterParams() *Error {
	if err := c.checkProduct(); err != nil {
		return err
	}
	switch pin := c.params["pin"]; {
	case pin.text == "":
		return paramError("The parameter pin is required.")
	case !pin.isString || !isPIN(pin.text): // a number would have lost its leading zeros
		return paramError("Param pin must be a string of 6 digits.")
	default:
		return nil
	}
}

// checkProduct: WhatsApp's edges want to be told that it is WhatsApp that is meant.
func (c *call) checkProduct() *Error {
	switch product := c.params.get("messaging_product"); product {
	case "whatsapp":
		return nil
	case "":
		return paramError("The parameter messaging_product is required.")
	default:
		return paramError("Param messaging_product must be one of {WHATSAPP} - got value \"%s\".", product)
	}
}

// countRegister counts an attempt. The eleventh within 72 hours locks the number for 72 hours.
func (c *call) countRegister(number *phone) *Error {
	number.RegisterTimes = slices.DeleteFunc(number.RegisterTimes, func(t time.Time) bool {
		return c.now.Sub(t) >= registerWindow
	})
	if !c.now.Before(number.LockedUntil) && len(number.RegisterTimes) < registerLimit {
		number.RegisterTimes = append(number.RegisterTimes, c.now)
		return nil
	}
	if c.now.After(number.LockedUntil) {
		number.LockedUntil = c.now.Add(registerWindow)
	}
	return whatsappError(133016, "Account register/deregister rate limit exceeded",
		"There were too many register or deregister requests for this phone number. Try again in 72 hours.")
}

func (c *call) checkRegister(number *phone) *Error {
	switch {
	case number.CodeVerificationStatus != "VERIFIED":
		return whatsappError(133006, "Phone number re-verification needed",
			"The phone number must be verified before it is registered.")
	case number.PIN != "" && !sameText(number.PIN, c.params.get("pin")):
		return whatsappError(133005, "Two step verification PIN Mismatch",
			"The PIN does not match the one that was set for this number.")
	case number.NameStatus == "PENDING_REVIEW":
		return &Error{
			Code: 100, Subcode: subcodeNameInReview, Type: typeOAuth, Message: "(#100) Invalid parameter",
			UserTitle: "Cannot Create Certificate", UserMessage: "The display name is still in review.",
		}
	default:
		return nil
	}
}

func isPIN(s string) bool { return len(s) == 6 && isID(s) }
