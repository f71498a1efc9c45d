package egress

import "net/netip"

// notPublic are the networks of the whole space of IPv4, and of the unicast part of IPv6, that nobody on the internet
// has, or that lead back to us (IANA's special-purpose address registries for IPv4 and IPv6).
var notPublic = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // the host of a virtual machine at Azure: a public address that is not
	"2001::/23",        // protocol assignments, Teredo among them
	"2001:db8::/32", "3fff::/20",
)

var (
	unicast = netip.MustParsePrefix("2000::/3") // the only part of IPv6 that is given out
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
	sixTo4  = netip.MustParsePrefix("2002::/16")
)

// public tells whether an address is one of the internet. An IPv6 address that stands for an IPv4 address is what that
// one is.
func public(addr netip.Addr) bool {
	addr, ok := embedded(addr)
	if !ok || (addr.Is6() && !unicast.Contains(addr)) {
		return false
	}
	for _, prefix := range notPublic {
		if prefix.Contains(addr) {
			return false
		}
	}
	return true
}

// embedded is the IPv4 address that an address stands for, or the address itself; ok is false for none, and for one of
// a zone, which is a link's.
func embedded(addr netip.Addr) (inner netip.Addr, ok bool) {
	if !addr.IsValid() || addr.Zone() != "" {
		return addr, false
	}
	addr = addr.Unmap()
	if addr.Is4() {
		return addr, true
	}
	b := addr.As16()
	switch {
	case nat64.Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixTo4.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:])), true
	}
	return addr, true
}

func prefixes(list ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, 0, len(list))
	for _, prefix := range list {
		parsed = append(parsed, netip.MustParsePrefix(prefix))
	}
	return parsed
}
