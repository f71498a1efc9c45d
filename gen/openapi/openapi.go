// Package openapi carries the OpenAPI v2 description of the REST interface, as `make gen` writes it from proto/.
package openapi

import _ "embed"

// JSON is the whole document.
//
//go:embed whatrack.swagger.json
var JSON []byte
