import Foundation
import RocketBase
import RocketRPC
import RocketTCP
import Testing

@testable import RocketProgram

@Suite("Report of a health check")
struct HealthReportTests {
    private func report(
        _ status: RPCHealthCheckResponse.Status, service: String = "Order"
    ) -> HealthReport {
        HealthReport(status, service: service, target: "h:1", time: .microseconds(1234))
    }

    private func report(_ error: RPCError, service: String = "Order") -> HealthReport {
        HealthReport(error, service: service, target: "h:1", time: .microseconds(1234))
    }

    /// Connecting fails with the text of a `ConnectError.Kind`.
    private func connect(_ kind: ConnectError.Kind) -> HealthReport {
        report(RPCError(.failedConnect, "connect: h").adding("connect", kind.rawValue))
    }

    @Test("Statuses tell serving, not serving and an unknown service apart")
    func answers() {
        #expect(report(.serving).exitStatus.rawValue == 0)
        #expect(report(.notServing).exitStatus.rawValue == 75)
        #expect(report(.unknown).exitStatus.rawValue == 75)
        #expect(report(.UNRECOGNIZED(9)).exitStatus.rawValue == 75)
        #expect(report(.serviceUnknown).exitStatus.rawValue == 66)
    }

    @Test("A server without rocket.Health is healthy unless a service was asked for")
    func noHealth() {
        let error = RPCError(.serviceNotFound, "no service rocket.Health")
        #expect(report(error, service: "").state == .answering)
        #expect(report(error, service: "").exitStatus == .success)
        #expect(report(error, service: "").nagios.status == .success)
        #expect(report(error).state == .notFound)
        #expect(report(error).exitStatus.rawValue == 66)
        #expect(report(RPCError(.methodNotFound, "no check")).state == .notFound)
        let unimplemented = RPCError(.unimplemented, "no check")
        #expect(report(unimplemented, service: "").state == .answering)
        #expect(report(unimplemented).state == .notFound)
    }

    @Test("A service that gRPC's health does not know is not found")
    func healthOfGRPC() {
        #expect(report(RPCError(.notFound, "unknown service")).state == .notFound)
        #expect(report(RPCError(.notFound, "unknown service")).exitStatus.rawValue == 66)
        #expect(report(RPCError(.notFound, "x"), service: "").state == .refused)
    }

    @Test("A server that does not answer is down, and the reason tells why")
    func down() {
        let reports: [(HealthReport, HealthReport.Reason)] = [
            (connect(.refused), .connectionRefused), (connect(.timedOut), .timeout),
            (connect(.unreachable), .unreachable), (connect(.noAddress), .unknownHost),
            (connect(.failed), .connectFailed), (report(RPCError(.callTimeout, "")), .timeout),
            (report(RPCError(.peerClosed, "")), .connectionLost),
            (report(RPCError(.failedGetReply, "")), .connectionLost),
            (report(RPCError(.failedDecode, "")), .invalidAnswer),
            (report(RPCError(.failedDeserialize, "")), .invalidAnswer),
        ]
        for (report, reason) in reports {
            #expect(report.state == .down && report.reason == reason)
            #expect(report.exitStatus.rawValue == 69)
        }
    }

    @Test("A check that the server or the system has refused has a status of its own")
    func refused() {
        let reports: [(HealthReport, HealthReport.Reason)] = [
            (report(RPCError(.unavailable, "")), .overloaded),
            (report(RPCError(.resourceExhausted, "")), .overloaded),
            (report(RPCError(.permissionDenied, "")), .notPermitted),
            (report(RPCError(.unauthenticated, "")), .notPermitted),
            (connect(.notPermitted), .notPermitted), (report(RPCError(.internal, "")), .failed),
            (report(RPCError(RPCErrorCode(rawValue: 7), "")), .failed),
        ]
        for (report, reason) in reports {
            #expect(report.state == .refused && report.reason == reason)
            #expect(report.exitStatus.rawValue == 77)
        }
    }

    @Test("The text names target, service and status")
    func text() {
        #expect(report(.serving).text == "h:1: Order is SERVING")
        #expect(report(.notServing, service: "").text == "h:1: server is NOT_SERVING")
        #expect(
            report(RPCError(.callTimeout, "no reply")).text
                == "h:1: Order is down: no reply (ERROR_RPC_CALL_TIMEOUT)")
    }

    @Test("JSON has state, reason, status and time")
    func json() throws {
        #expect(
            try report(RPCError(.unavailable, "full\u{202E}")).json()
                == #"{"detail":"has refused the check: full\u202e (UNAVAILABLE)","exit_status":77,"#
                + #""reason":"overloaded","service":"Order","state":"refused","target":"h:1","#
                + #""time_ms":1.234}"#)
        #expect(try !report(.serving).json().contains("reason"))
    }

    @Test("The Nagios line has the status, the text and the time as performance data")
    func nagios() {
        let serving = report(.serving).nagios
        #expect(serving.line == "ROCKET OK - Order is SERVING | time=0.0012s;;;0")
        #expect(serving.status.rawValue == 0)
        #expect(report(.serving, service: "").nagios.line.contains("server is SERVING"))
        #expect(report(.notServing).nagios.line.hasPrefix("ROCKET CRITICAL - Order is NOT_SERVING"))
        #expect(report(.notServing).nagios.status.rawValue == 2)
        #expect(connect(.refused).nagios.status.rawValue == 2)
        #expect(report(RPCError(.unavailable, "")).nagios.status.rawValue == 2)
        #expect(report(.serviceUnknown).nagios.line.hasPrefix("ROCKET UNKNOWN - Order is not"))
        #expect(report(.serviceUnknown).nagios.status.rawValue == 3)
        let odd = report(RPCError(.internal, "a|b\nc")).nagios.line
        #expect(odd.contains("a/b\\nc") && odd.split(separator: "|").count == 2)
    }

    @Test("The help lists every status that a report can have")
    func help() {
        for status in [0, 64, 66, 69, 75, 77, 78] {
            #expect(HealthReport.exitStatusHelp.contains("\n  \(status) "))
        }
    }
}
