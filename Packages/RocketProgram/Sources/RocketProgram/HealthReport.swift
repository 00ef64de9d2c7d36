import RocketBase
import RocketRPC

/// The outcome of one health check of a server.
public struct HealthReport: Hashable, Sendable {
    /// What the check has found. Raw values are those of `--json`.
    public enum State: String, Hashable, Sendable {
        /// The service can be called.
        case serving
        /// The server answers calls but has no `rocket.Health`, and no service was asked for.
        case answering
        /// The service should not be called now: it can't do its work.
        case notServing = "not_serving"
        /// The server has no service of that name, or nothing that could tell its health.
        case notFound = "not_found"
        /// The server, or the system, has refused the check.
        case refused
        /// There was no answer.
        case down
    }

    /// Why a server is down or has refused the check. Raw values are those of `--json`.
    public enum Reason: String, Hashable, Sendable {
        /// Down: nothing listens at the address.
        case connectionRefused = "connection_refused"
        /// Down: no connection, or no answer, within the time-out.
        case timeout
        /// Down: the connection ended before the answer, also because the peer is no Rocket server.
        case connectionLost = "connection_lost"
        /// Down: there is no route to the host.
        case unreachable
        /// Down: the name of the host has no address.
        case unknownHost = "unknown_host"
        /// Down: the connection failed for another reason.
        case connectFailed = "connect_failed"
        /// Down: the answer can't be decoded.
        case invalidAnswer = "invalid_answer"
        /// Refused: the server has too much to do.
        case overloaded
        /// Refused: by the server, or by the system (the mode of a Unix socket, a firewall).
        case notPermitted = "not_permitted"
        /// Refused: with another error.
        case failed
    }

    /// The name of the service; empty: the whole server.
    public let service: String
    /// The server: its address, or its stub.
    public let target: String
    /// What the check has found.
    public let state: State
    /// Nil unless the state is `down` or `refused`.
    public let reason: Reason?
    /// What happened, in words.
    public let detail: String
    /// From the request to the answer, with the time for connecting.
    public let time: Duration

    /// Creates the report of an answer of `rocket.Health`.
    init(
        _ status: RPCHealthCheckResponse.Status, service: String, target: String, time: Duration
    ) {
        self.service = service
        self.target = target
        self.time = time
        reason = nil
        switch status {
        case .serving: (state, detail) = (.serving, "is SERVING")
        case .serviceUnknown: (state, detail) = (.notFound, "is not a service of this server")
        case .notServing: (state, detail) = (.notServing, "is NOT_SERVING")
        case .unknown, .UNRECOGNIZED:
            (state, detail) = (.notServing, "has the status \(status.rawValue)")
        }
    }

    /// Creates the report of a failed call of `rocket.Health.check`.
    init(_ error: RPCError, service: String, target: String, time: Duration) {
        self.service = service
        self.target = target
        self.time = time
        switch error.code {
        // How grpc.health.v1 says that it does not know the service.
        case .notFound where !service.isEmpty:
            reason = nil
            (state, detail) = (.notFound, "is not a service of this server")
        case .serviceNotFound, .methodNotFound, .unimplemented:
            reason = nil
            (state, detail) =
                service.isEmpty
                ? (.answering, "answers, and has no rocket.Health")
                : (.notFound, "has an unknown health: this server has no rocket.Health")
        default:
            let (state, reason) = Self.outcome(of: error)
            (self.state, self.reason) = (state, reason)
            let what = state == .down ? "is down" : "has refused the check"
            detail = "\(what): \(error.message) (\(error.code.name))"
        }
    }

    private static func outcome(of error: RPCError) -> (State, Reason) {
        switch error.code {
        case .failedConnect: connectOutcome(error.context("connect"))
        case .callTimeout: (.down, .timeout)
        case .peerClosed, .failedGetReply: (.down, .connectionLost)
        case .failedDecode, .failedDeserialize: (.down, .invalidAnswer)
        case .unavailable, .resourceExhausted: (.refused, .overloaded)
        case .unauthenticated, .permissionDenied: (.refused, .notPermitted)
        default: (.refused, .failed)
        }
    }

    /// - Parameter kind: a raw value of RocketTCP's `ConnectError.Kind`.
    private static func connectOutcome(_ kind: String) -> (State, Reason) {
        switch kind {
        case "refused": (.down, .connectionRefused)
        case "timed out": (.down, .timeout)
        case "unreachable": (.down, .unreachable)
        case "no address": (.down, .unknownHost)
        case "not permitted": (.refused, .notPermitted)
        default: (.down, .connectFailed)
        }
    }
}
