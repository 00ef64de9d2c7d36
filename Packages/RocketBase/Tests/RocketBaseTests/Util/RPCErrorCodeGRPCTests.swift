import RocketBase
import Testing

@Suite("Error codes in gRPC")
struct RPCErrorCodeGRPCTests {
    @Test("gRPC's canonical codes have their numbers")
    func canonicalCodes() {
        let codes: [RPCErrorCode] = [
            RPCErrorCode(rawValue: 0), .cancelled, .unknown, .invalidArgument, .deadlineExceeded,
            .notFound, .alreadyExists, .permissionDenied, .resourceExhausted, .failedPrecondition,
            .aborted, .outOfRange, .unimplemented, .internal, .unavailable, .dataLoss,
            .unauthenticated,
        ]
        #expect(codes.map(\.grpcStatus) == Array(0...16))
        for (status, code) in codes.enumerated() where code != .unavailable {
            #expect(RPCErrorCode(grpcStatus: status) == code)
        }
    }

    @Test(
        "The original's codes have a number of gRPC",
        arguments: [
            (RPCErrorCode.peerClosed, 14), (.failedConnect, 14), (.failedGetReply, 14),
            (.failedDeserialize, 13), (.failedSerialize, 13), (.failedEncode, 13),
            (.failedDecode, 13), (.callTimeout, 4), (.serviceNotFound, 12), (.methodNotFound, 12),
            (.parseServiceName, 12), (.channelInit, 14), (.peerAddress, 14),
        ])
    func originalCodes(code: RPCErrorCode, status: Int) {
        #expect(code.grpcStatus == status)
    }

    @Test("Codes of applications are UNKNOWN", arguments: [-1, 1, 42, 10_000_115, .max, .min])
    func applicationCodes(number: Int32) {
        #expect(RPCErrorCode(rawValue: number).grpcStatus == 2)
    }

    @Test("A status of gRPC is the same after both mappings")
    func roundTrip() {
        for status in 0...16 { #expect(RPCErrorCode(grpcStatus: status).grpcStatus == status) }
        for status in [-1, 17, .max, .min] {
            #expect(RPCErrorCode(grpcStatus: status) == .unknown)
        }
    }

    @Test("UNAVAILABLE of gRPC is no reason to send the call again")
    func unavailable() {
        #expect(RPCErrorCode(grpcStatus: 14) == .failedGetReply)
        #expect(RPCErrorCode.unavailable.grpcStatus == 14)
    }

    @Test("DEADLINE_EXCEEDED is the original's time-out")
    func deadlineExceeded() {
        #expect(RPCErrorCode.deadlineExceeded == .callTimeout)
        #expect(RPCErrorCode.deadlineExceeded.name == "ERROR_RPC_CALL_TIMEOUT")
    }
}
