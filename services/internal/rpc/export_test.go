package rpc

// Decode is for the fuzzer, which needs no server around it.
var Decode = decode
