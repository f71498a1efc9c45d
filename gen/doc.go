// Package gen is the root of whatrack-connect's contract: the code generated from proto/ lies below it, under whatrack/,
// the REST description in openapi/.
//
// All of it but this file and openapi/openapi.go is written by `make gen` and never edited. The package itself holds
// nothing; tools/protodeps imports it, so that this module's versions decide which imported proto files are printed.
package gen
