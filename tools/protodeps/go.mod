// The printer in a module of its own, so that protoprint stays out of gen, which other teams import.
module github.com/whatrack/connect/tools/protodeps

go 1.26.0

require (
	buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go v1.36.12-20260825204119-511051f7f437.2
	github.com/grpc-ecosystem/grpc-gateway/v2 v2.33.0
	github.com/whatrack/connect/gen v0.0.0
	google.golang.org/genproto/googleapis/api v0.0.0-20261026165753-2ffab32bce7e
	google.golang.org/protobuf v1.36.12
)

require github.com/jhump/protoreflect/v2 v2.0.0

replace github.com/whatrack/connect/gen => ../../gen
