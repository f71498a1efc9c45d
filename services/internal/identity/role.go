package identity

// Role says what a caller may do. Each includes the ones below it.
type Role int

// The roles. The zero value is none of them and may do nothing.
const (
	Viewer Role = iota + 1
	Editor
	Admin
)

// String implements fmt.Stringer.
func (r Role) String() string {
	switch r {
	case Viewer:
		return "viewer"
	case Editor:
		return "editor"
	case Admin:
		return "admin"
	}
	return "none"
}

// parseRole reads a role; none given is the least.
func parseRole(s string) (Role, bool) {
	switch s {
	case "", "viewer":
		return Viewer, true
	case "editor":
		return Editor, true
	case "admin":
		return Admin, true
	}
	return 0, false
}
