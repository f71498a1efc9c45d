package egress

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Allow lists what may be reached besides the internet: a private network, or a receiver of a test. The zero value is
// nothing.
type Allow struct {
	networks  []netip.Prefix
	endpoints map[netip.AddrPort]bool
	names     map[string]bool // host:port, as URLs name it
}

// ParseAllow reads a list, separated by commas, of networks (10.1.0.0/16), addresses with a port (127.0.0.1:9000) and
// names with a port (receiver.internal:8443). A name is believed wherever it leads.
func ParseAllow(list string) (Allow, error) {
	a := Allow{endpoints: map[netip.AddrPort]bool{}, names: map[string]bool{}}
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		if prefix, err := netip.ParsePrefix(entry); err == nil {
			a.networks = append(a.networks, prefix.Masked())
			continue
		}
		if endpoint, err := netip.ParseAddrPort(entry); err == nil {
			a.endpoints[endpoint] = true
			continue
		}
		host, port, err := net.SplitHostPort(entry)
		if err != nil || host == "" || port == "" || strings.Contains(host, "/") {
			return Allow{}, fmt.Errorf("%q is neither a network such as 10.1.0.0/16 nor host:port", entry)
		}
		a.names[strings.ToLower(entry)] = true
	}
	return a, nil
}

// addresses tells whether there are any to which a name might lead.
func (a Allow) addresses() bool { return len(a.networks)+len(a.endpoints) > 0 }

// address tells whether a dialled address is listed.
func (a Allow) address(to netip.AddrPort) bool {
	if a.endpoints[netip.AddrPortFrom(to.Addr().Unmap(), to.Port())] {
		return true
	}
	for _, network := range a.networks {
		if network.Contains(to.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// name tells whether a host:port is listed by its name.
func (a Allow) name(hostPort string) bool { return a.names[strings.ToLower(hostPort)] }
