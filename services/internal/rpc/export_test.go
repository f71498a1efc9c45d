package rpc

// Decode is for the fuzzer, which needs no server around it.
var Decode = decode

// RequestID is what a client of ours passes on.
var RequestID = requestIDOf
