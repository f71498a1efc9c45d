package egress

import (
	"net/netip"
	"strconv"
	"strings"
)

// spelled is the IPv4 address that resolvers of the C library read out of a host, beside the four decimals of netip: one
// to four numbers, decimal, octal or hexadecimal, of which the last fills what is left (inet_aton(3)).
func spelled(host string) (addr netip.Addr, ok bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) > 4 {
		return addr, false
	}
	var whole uint64
	for i, part := range parts {
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (4 - i)
		}
		n, ok := number(part, bits)
		if !ok {
			return addr, false
		}
		whole = whole<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(whole >> 24), byte(whole >> 16), byte(whole >> 8), byte(whole)}), true
}

func number(part string, bits int) (n uint64, ok bool) {
	digits, base := part, 10
	switch lower := strings.ToLower(part); {
	case strings.HasPrefix(lower, "0x"):
		digits, base = part[2:], 16
	case len(part) > 1 && part[0] == '0':
		digits, base = part[1:], 8
	}
	n, err := strconv.ParseUint(digits, base, bits)
	return n, err == nil
}

// namesThisMachine tells names that lead to this machine, whoever is asked.
func namesThisMachine(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
